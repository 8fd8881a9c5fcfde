"""Publishing notebooks as pages, together with the videos and pictures that they show."""
