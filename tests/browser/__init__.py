"""Tests that drive JupyterLab in a browser. A package, so that fixtures of its scope end with the folder."""
