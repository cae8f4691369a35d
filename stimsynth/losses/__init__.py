"""Losses between model outputs, and penalties on one image; all are scalars.

All accept and ignore further keywords, so that a caller can give every loss the same arguments. For a value
per image and channel see `stimsynth.metrics`.
"""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from stimsynth.losses.differences import (
        channel_logsumexp,
        l2_norm,
        mse,
        penalize_range,
        penalize_roughness,
        relative_MSE,
        relative_sse,
    )
    from stimsynth.losses.groups import (
        groupwise_relative_l2_norm_factory,
        portilla_simoncelli_loss_factory,
    )
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
