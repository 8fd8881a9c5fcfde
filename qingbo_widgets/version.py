"""The package version, defined only here; the build, the changelog tool and the sidecars read it."""

__all__ = ["__version__"]

__version__ = "0.2.0"
