"""Pictures for the service, made from anything that is one: a file, bytes, an image, an array, a figure."""

from ..unusable import UnusableMedia
from .preparing import Picture, prepare
from .rules import PictureRules

__all__ = ["Picture", "PictureRules", "UnusableMedia", "prepare"]
