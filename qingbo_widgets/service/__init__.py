"""The client of the service, independent of Jupyter, of following tasks and of the choice of a folder."""
