"""Image-computable models: pure functions of the image, found by name in `MODELS`."""

from collections.abc import Mapping

from torch import nn

from stimsynth.models.balanced import (
    Balanced,
    balanced_by_sensitivity,
    balanced_by_target,
    balanced_over_images,
)
from stimsynth.models.foveated import FoveatedPooling
from stimsynth.models.frontend import (
    LinearNonlinear,
    LuminanceContrastGainControl,
    LuminanceGainControl,
    OnOff,
)
from stimsynth.models.linear import CenterSurround, Gaussian, Identity, Linear
from stimsynth.models.network_layers import features
from stimsynth.models.pooling import UniformPooling
from stimsynth.models.texture.color import ColorPortillaSimoncelli
from stimsynth.models.texture.portilla_simoncelli import PortillaSimoncelli

MODELS: Mapping[str, type[nn.Module]] = {
    model.__name__: model
    for model in (
        Identity,
        Linear,
        Gaussian,
        CenterSurround,
        LinearNonlinear,
        LuminanceGainControl,
        LuminanceContrastGainControl,
        OnOff,
        UniformPooling,
        FoveatedPooling,
        PortillaSimoncelli,
        ColorPortillaSimoncelli,
    )
}

__all__ = [
    "MODELS",
    "Balanced",
    "CenterSurround",
    "ColorPortillaSimoncelli",
    "FoveatedPooling",
    "Gaussian",
    "Identity",
    "Linear",
    "LinearNonlinear",
    "LuminanceContrastGainControl",
    "LuminanceGainControl",
    "OnOff",
    "PortillaSimoncelli",
    "UniformPooling",
    "balanced_by_sensitivity",
    "balanced_by_target",
    "balanced_over_images",
    "features",
]
