"""Synthesis of stimuli from any torch model.

The names below are loaded when first used, so that a machine without torch can import this package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "Metamer": "stimsynth.methods.metamer",
    "Gaussian": "stimsynth.models",
    "Identity": "stimsynth.models",
    "LinearNonlinear": "stimsynth.models",
    "CenterSurround": "stimsynth.models",
    "LuminanceGainControl": "stimsynth.models",
    "LuminanceContrastGainControl": "stimsynth.models",
    "OnOff": "stimsynth.models",
    "UniformPooling": "stimsynth.models",
    "images": "stimsynth.images",
    "remove_grad": "stimsynth.validate",
}

if TYPE_CHECKING:
    from stimsynth import images
    from stimsynth.methods.metamer import Metamer
    from stimsynth.models import (
        CenterSurround,
        Gaussian,
        Identity,
        LinearNonlinear,
        LuminanceContrastGainControl,
        LuminanceGainControl,
        OnOff,
        UniformPooling,
    )
    from stimsynth.validate import remove_grad

__all__ = [
    "CenterSurround",
    "Gaussian",
    "Identity",
    "LinearNonlinear",
    "LuminanceContrastGainControl",
    "LuminanceGainControl",
    "Metamer",
    "OnOff",
    "UniformPooling",
    "images",
    "remove_grad",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'stimsynth' has no attribute {name!r}")
    module = import_module(_HOMES[name])
    return module if name == "images" else getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
