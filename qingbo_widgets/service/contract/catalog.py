"""For the form, until it reads the models itself."""

from typing import Any

from .models import models_of, takes
from .problem import Problem
from .schema import Model

__all__ = ["Problem", "takes"]

_P = models_of().parameters
ASPECT_RATIOS = _P["aspect_ratio"].choices
MODES = _P["mode"].choices
PROMPT_LIMIT = _P["prompt"].most
SHOTS_LIMIT = _P["shots"].limits["count"]
SHOTS_SECONDS = _P["shots"].limits["seconds"]
CAMERA_TYPES = _P["camera_control"].choices
CAMERA_AXES = _P["camera_control"].labels
CAMERA_AXIS_RANGE = _P["camera_control"].range
CFG_SCALE_RANGE = _P["cfg_scale"].range
DYNAMIC_MASKS_LIMIT = _P["dynamic_masks"].most
TRAJECTORY_POINTS = _P["dynamic_masks"].limits["points"]
MODELS = models_of()
COMMON_FIELDS = frozenset.intersection(*(frozenset(one.parameters) for one in MODELS.values()))


def spec_of(model: Any) -> Model | None:
    """Return a model's entry."""
    return MODELS.get(model) if isinstance(model, str) else None
