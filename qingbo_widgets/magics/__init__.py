"""``%load_ext qingbo_widgets``: ``%%qingbo`` makes a video of a cell, ``%qingbo`` manages tasks."""

from .magics import QingboMagics, load

__all__ = ["QingboMagics", "load"]
