"""Pictures, models and metrics that recipes make stimuli from."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from stimsynth.banks.recipe import Metric, picture_key, to_tensor
from stimsynth.images import Picture
from stimuli_store.errors import InputError
from stimuli_store.frames import Frame, quantize
from stimuli_store.records.spec import ModelRef


class ModelSource(Protocol):
    """Interface that returns models and metrics from their references in a bank."""

    device: torch.device

    def module(self, ref: ModelRef) -> nn.Module:
        """Return the model of a reference, ready for synthesis."""

    def exact(self, ref: ModelRef) -> nn.Module:
        """Return a copy of the model of a reference in float64."""

    def metric(self, ref: ModelRef) -> Metric:
        """Return the metric of a reference, or the distance of its model's outputs."""


class BankContext:
    """Pictures and models for recipes, by id and reference; see `stimsynth.banks.recipe.Context`.

    Parameters
    ----------
    pixels
        Master pixels of targets by pixel id.
    files
        Pictures in files, by `picture_key`.
    models
        Models and metrics.
    """

    def __init__(
        self, pixels: Mapping[str, np.ndarray], files: Mapping[str, Picture], models: ModelSource
    ) -> None:
        self._pixels, self._files, self._models = pixels, files, models
        self.device = models.device

    def images(self, ids: Sequence[str]) -> Tensor:
        """Return pictures by pixel id as one batch, float32 (n, c, h, w)."""
        return torch.cat([to_tensor(self._of(sha)) for sha in ids]).to(self.device)

    def frame(self, sha: str) -> Frame:
        """Return the 8-bit frame of a picture."""
        return quantize(self._of(sha))

    def file(self, recipe: Mapping[str, Any]) -> np.ndarray:
        """Return the pixels of the picture in a file."""
        key = picture_key(recipe)
        if key is None or key not in self._files:
            raise InputError(f"there is no file for the recipe {dict(recipe)}; give it by hand")
        return self._files[key].pixels

    def model(self, ref: ModelRef) -> nn.Module:
        """Return the model of a reference, ready for synthesis."""
        return self._models.module(ref)

    def exact(self, ref: ModelRef) -> nn.Module:
        """Return a copy of the model of a reference in float64."""
        return self._models.exact(ref)

    def metric(self, ref: ModelRef) -> Metric:
        """Return the metric of a reference, or the distance of its model's outputs."""
        return self._models.metric(ref)

    def _of(self, sha: str) -> np.ndarray:
        if sha not in self._pixels:
            raise InputError(f"there is no picture with the pixel id {sha[:16]}…")
        return self._pixels[sha]
