"""Speaks to the service; knows no Jupyter, follows no task, and chooses no folder."""
