"""Metamers with the default settings, for teaching and first trials."""

import os
from typing import Any

from torch import Tensor, nn

from stimsynth.methods.base.quality import Quality
from stimsynth.methods.metamer import Metamer


class SimpleMetamer:
    """Metamer synthesis with default settings, whose `synthesize` returns the image.

    Parameters
    ----------
    image
        Target, shape (batch, channel, height, width), with values in [0, 1].
    model
        Any `torch.nn.Module` without learnable parameters.
    seed
        As in `Metamer`.

    Examples
    --------
    >>> from stimsynth import Gaussian, SimpleMetamer, images, remove_grad
    >>> simple = SimpleMetamer(images.load("camera", size=32), remove_grad(Gaussian(7)))
    >>> simple.synthesize(max_iter=20).shape
    torch.Size([1, 1, 32, 32])
    """

    def __init__(self, image: Tensor, model: nn.Module, *, seed: int | None = None) -> None:
        self._full = Metamer(image, model, seed=seed)

    def synthesize(self, max_iter: int = 100, optimizer: Any = None) -> Tensor:
        """Take up to `max_iter` steps, from where the last call stopped, and return the metamer.

        Parameters
        ----------
        max_iter
            Largest number of steps to take in this call.
        optimizer
            As in `Metamer.synthesize`.
        """
        self._full.synthesize(max_iter, optimizer)
        return self.metamer

    def __repr__(self) -> str:
        return f"Simple{self._full!r}"

    def _repr_html_(self) -> str:
        return self._full._repr_html_()

    @property
    def image(self) -> Tensor | None:
        """The target image."""
        return self._full.image

    @property
    def model(self) -> nn.Module:
        """The model."""
        return self._full.model

    @property
    def seed(self) -> int | None:
        """Seed of the noise in the start image."""
        return self._full.seed

    @property
    def metamer(self) -> Tensor:
        """The result so far, shape (batch, channel, height, width)."""
        return self._full.metamer

    @property
    def target_representation(self) -> Tensor:
        """The model's output for the target."""
        return self._full.target_representation

    @property
    def losses(self) -> Tensor:
        """Objective at every iterate, shape (steps + 1, batch)."""
        return self._full.losses

    def quality(self) -> tuple[Quality, ...]:
        """Return a verdict for each image, whether it is a metamer; see `Metamer.quality`."""
        return self._full.quality()

    def save(self, file_path: str | os.PathLike[str]) -> None:
        """Write everything except the model to a file, which a `Metamer` can load too."""
        self._full.save(file_path)

    def load(self, file_path: str | os.PathLike[str], map_location: Any = None) -> None:
        """Load settings and results from a file; see `Metamer.load`."""
        self._full.load(file_path, map_location)

    def to(self, *args: Any, **kwargs: Any) -> None:
        """Change precision or device, also of the model, in place; see `Metamer.to`."""
        self._full.to(*args, **kwargs)
