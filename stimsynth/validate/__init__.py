"""Checks of models, metrics, penalties and images, with errors that say what to change.

A **model** should be a `torch.nn.Module`; it must be callable, take an image (batch, channel, height,
width) and return a tensor of 3 or 4 dimensions; be differentiable by torch; have no learnable
parameters (`remove_grad`); keep precision and device; and it should be in evaluation mode. Input and
output are real or complex, and defined over the whole range of pixel values.

A **metric** must be callable, take two images and return one number, 0 for identical images.

A **coarse-to-fine model** must also have an attribute `scales` (coarse to fine) and take a keyword
`scales`, a list of some of them, which changes the shape of its output.
"""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from stimsynth.validate.functions import validate_metric, validate_penalty
    from stimsynth.validate.images import validate_input
    from stimsynth.validate.inputs import validate_allowed_range
    from stimsynth.validate.models import (
        checked_output,
        remove_grad,
        validate_coarse_to_fine,
        validate_model,
    )
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
