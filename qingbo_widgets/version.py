"""The version of the package: the one place, read by the build, the changelog's tool and the sidecars."""

__all__ = ["__version__"]

__version__ = "0.2.0"
