"""The magics of ``%load_ext qingbo_widgets``: ``%%qingbo`` makes a video, ``%qingbo`` manages tasks."""

from .magics import QingboMagics, load

__all__ = ["QingboMagics", "load"]
