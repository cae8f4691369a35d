"""Metamers in five lines, for a first look and for teaching."""

import os
from typing import Any

from torch import Tensor, nn

from stimsynth.methods.base.quality import Quality
from stimsynth.methods.metamer import Metamer


class SimpleMetamer:
    """A `Metamer` with all settings at their defaults, whose `synthesize` returns the image.

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
            Steps to take now, at most.
        optimizer
            As in `Metamer.synthesize`.
        """
        self._full.synthesize(max_iter, optimizer)
        return self.metamer

    @property
    def image(self) -> Tensor | None:
        """The target."""
        return self._full.image

    @property
    def model(self) -> nn.Module:
        """The model."""
        return self._full.model

    @property
    def seed(self) -> int | None:
        """Seed of the noise that it starts from."""
        return self._full.seed

    @property
    def metamer(self) -> Tensor:
        """The result so far."""
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
        """Return for every item whether it is a metamer; see `Metamer.quality`."""
        return self._full.quality()

    def save(self, file_path: str | os.PathLike[str]) -> None:
        """Write all but the model to a file; a `Metamer` can load it too."""
        self._full.save(file_path)

    def load(self, file_path: str | os.PathLike[str], map_location: Any = None) -> None:
        """Become what was saved; see `Metamer.load`."""
        self._full.load(file_path, map_location)

    def to(self, *args: Any, **kwargs: Any) -> None:
        """Change precision or device, model included, in place; see `Metamer.to`."""
        self._full.to(*args, **kwargs)
