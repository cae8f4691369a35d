"""Image-computable models: pure functions of images, listed by name in `MODELS`."""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from stimsynth.models.balanced import (
        Balanced,
        balanced_by_sensitivity,
        balanced_by_target,
        balanced_over_images,
    )
    from stimsynth.models.by_name import MODELS
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
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
