"""Agreement of metrics with what people say of distorted images."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stimsynth.images.tid2013 import RatedImages
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_list, a_mapping, like, takes


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Correlations of a metric with scores, and the distances they were computed from.

    Parameters
    ----------
    pearson, spearman
        Correlations of distances with minus the scores, so that 1 is full agreement: of the values, and of
        their ranks.
    distances
        Distance of each image, shape (references, distortions, levels).
    scores
        Score of each image, in the same shape.

    Examples
    --------
    >>> none = np.zeros((1, 1, 2))
    >>> Agreement(pearson=0.9, spearman=0.8, distances=none, scores=none).pearson
    0.9
    """

    pearson: float
    spearman: float
    distances: np.ndarray
    scores: np.ndarray


@takes(metrics=a_mapping, rated=a_list)
def correlate_with_scores(
    metrics: Mapping[str, Callable[[Tensor, Tensor], Tensor]], rated: Iterable[RatedImages]
) -> dict[str, Agreement]:
    """Return how well distances of distorted images from their references predict opinion scores.

    Parameters
    ----------
    metrics
        Distances by name: functions of a reference (1, 1, h, w) and images (n, 1, h, w) that return a value
        for each image, larger for what differs more, such as `nlpd` or ``lambda x, y: 1 - ssim(x, y)``.
    rated
        Rated images, such as `stimsynth.images.load_tid2013` gives; read once.

    Raises
    ------
    InputError
        If there are no images, or a metric returns another number of values or one that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from stimsynth.images import RatedImages
    >>> reference = torch.zeros(1, 1, 8, 8)
    >>> distorted = torch.tensor([0.1, 0.2, 0.4]).view(1, 3, 1, 1, 1).expand(1, 3, 1, 8, 8)
    >>> rated = RatedImages(reference=reference, distorted=distorted, scores=np.array([[5.0, 4.0, 1.0]]))
    >>> found = correlate_with_scores({"rmse": lambda x, y: (x - y).square().mean((1, 2, 3)).sqrt()}, [rated])
    >>> round(found["rmse"].spearman, 3)
    1.0
    """
    from scipy.stats import pearsonr, spearmanr

    distances: dict[str, list[np.ndarray]] = {name: [] for name in metrics}
    scores = []
    for item in rated:
        like("a list of RatedImages", "reference", "distorted", "scores")(item, "rated")
        scores.append(item.scores)
        for name, metric in metrics.items():
            distances[name].append(_distances(name, metric, item))
    if not scores:
        raise InputError("there are no rated images to compare metrics with")
    opinions = np.stack(scores)
    return {
        name: Agreement(
            pearson=float(pearsonr(-opinions.ravel(), np.ravel(values)).statistic),
            spearman=float(spearmanr(-opinions.ravel(), np.ravel(values)).statistic),
            distances=np.stack(values),
            scores=opinions,
        )
        for name, values in distances.items()
    }


def _distances(
    name: str, metric: Callable[[Tensor, Tensor], Tensor], item: RatedImages
) -> np.ndarray:
    with torch.no_grad():
        values = metric(item.reference, item.distorted.flatten(0, 1)).detach().double().cpu()
    if values.numel() != item.scores.size or not bool(torch.isfinite(values).all()):
        raise InputError(
            f"a metric must return one finite value for each of {item.scores.size} images; {name!r} "
            f"returned {values.numel()}, of which {int(torch.isfinite(values).sum())} are finite"
        )
    return values.numpy().reshape(item.scores.shape)
