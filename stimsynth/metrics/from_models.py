"""Metrics made from models: the distance between the outputs for two images."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from stimsynth.numerics.safe import safe_root
from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import briefly


class ModelDistance(nn.Module):
    """Metric: the root-mean-square difference of a model's outputs for two images.

    It is a module, so that checks, moves and copies reach the model inside.
    """

    def __init__(self, model: nn.Module | Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model

    def forward(self, img1: Tensor, img2: Tensor) -> Tensor:
        """Return the distance of images (b, c, h, w), shape (b,)."""
        for image in (img1, img2):
            checked_tensor(image, "a distance", kind="any")
        one, two = self.model(img1), self.model(img2)
        _see_comparable(one, two, (len(img1), len(img2)))
        difference = one - two
        if difference.is_complex():
            difference = torch.view_as_real(difference)
            return safe_root(2 * difference.square().flatten(1).mean(dim=1))
        return safe_root(difference.square().flatten(1).mean(dim=1))


def model_distance(
    model: nn.Module | Callable[[Tensor], Tensor],
) -> ModelDistance:
    """Return a metric made from a model: the root-mean-square difference of its outputs for two images.

    Parameters
    ----------
    model
        Function of images (b, c, h, w) to a tensor with the batch first.

    Returns
    -------
    ModelDistance
        Module of two images, whose batches are equal or 1, to a tensor of shape (b,). It is 0 for
        images with equal outputs, and its gradient, which is not defined there, is 0 too. It raises an
        `InputError` if the outputs cannot be compared.

    Raises
    ------
    InputError
        If the model cannot be called.

    Examples
    --------
    >>> from stimsynth import Gaussian, images, remove_grad
    >>> distance = model_distance(remove_grad(Gaussian(5, std=1.0)))
    >>> camera = images.load("camera", size=32)
    >>> round(float(distance(camera, camera * 0.5 + 0.25)), 4) > 0, float(distance(camera, camera))
    (True, 0.0)
    """
    if not callable(model):
        raise InputError(f"model must be callable with images; {briefly(model)} is not")
    return ModelDistance(model)


def _see_comparable(one: Tensor, two: Tensor, batches: tuple[int, int]) -> None:
    lengths = (len(one), len(two))
    if one.shape[1:] != two.shape[1:] or lengths != batches:
        raise InputError(
            "outputs to compare must have the same shape, with the batch of their images first; not "
            f"{tuple(one.shape)} and {tuple(two.shape)} for batches of {batches[0]} and {batches[1]}"
        )
    if lengths[0] != lengths[1] and 1 not in lengths:
        raise InputError(
            f"batches to compare must be equal or 1; not {lengths[0]} and {lengths[1]} images"
        )
