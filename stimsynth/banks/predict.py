"""Predictions: distances of every model for every pair of stimuli that a design can show."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import torch
from torch import nn

from stimsynth.banks.certify import outputs
from stimuli_store.frames import Frame, dequantize
from stimuli_store.records.predictions import Prediction
from stimuli_store.tools.progress import progress_bar

MSE = "mse"


def pairs_within(sets: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """Return every pair of pixel ids inside each set, each pair once.

    Examples
    --------
    >>> pairs_within([["target", "m0", "m1"]])
    [('target', 'm0'), ('target', 'm1'), ('m0', 'm1')]
    """
    found: dict[frozenset[str], tuple[str, str]] = {}
    for members in sets:
        for a, b in combinations(members, 2):
            found.setdefault(frozenset((a, b)), (a, b))
    return list(found.values())


def predict(
    models: Mapping[str, nn.Module],
    frames: Mapping[str, Frame],
    pairs: Sequence[tuple[str, str]],
) -> list[Prediction]:
    """Return each model's distance for each pair of 8-bit frames, computed in float64.

    A model's distance is the root-mean-square difference of its outputs. ``mse``, the mean squared
    difference of pixels in [0, 1], is always added as the baseline.

    Parameters
    ----------
    models
        Models by label.
    frames
        Frames by pixel id.
    pairs
        Pairs of pixel ids.
    """
    rows = list(_pixel_rows(frames, pairs))
    with progress_bar(len(models), "model", title="predictions") as bar:
        for label, model in models.items():
            rows += _model_rows(label, model, frames, pairs)
            bar.update()
    return rows


def _pixel_rows(
    frames: Mapping[str, Frame], pairs: Sequence[tuple[str, str]]
) -> Iterator[Prediction]:
    images = {key: dequantize(frame.pixels, np.float64) for key, frame in frames.items()}
    for a, b in pairs:
        yield Prediction(model=MSE, a=a, b=b, distance=float(np.mean((images[a] - images[b]) ** 2)))


def _model_rows(
    label: str,
    model: nn.Module,
    frames: Mapping[str, Frame],
    pairs: Sequence[tuple[str, str]],
) -> Iterator[Prediction]:
    seen: dict[str, torch.Tensor] = {}
    for key in dict.fromkeys(key for pair in pairs for key in pair):
        seen[key] = outputs(model, [frames[key]])
    for a, b in pairs:
        distance = (seen[a] - seen[b]).abs().square().mean().sqrt()
        yield Prediction(model=label, a=a, b=b, distance=float(distance))
