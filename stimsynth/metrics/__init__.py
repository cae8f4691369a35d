"""Metrics: distances and similarities between images, and distances between model outputs."""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from stimsynth.metrics.agreement import Agreement, correlate_with_scores
    from stimsynth.metrics.from_models import model_distance
    from stimsynth.metrics.laplacian_distance import NLP, nlpd, normalized_laplacian_pyramid
    from stimsynth.metrics.pixel import mse
    from stimsynth.metrics.structural_similarity import ms_ssim, ssim, ssim_map
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
