"""A stand-in for the package of Colab's kernels: the part that widgets notice. The rules are in page.py."""

from . import output

__all__ = ["output"]
