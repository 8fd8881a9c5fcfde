"""Tests of the hosts that show notebooks. A package, so that fixtures of its scope end with the folder."""
