"""Check that a model treats each image of a batch alone."""

from collections.abc import Callable

import torch
from torch import Tensor

from stimsynth.validate.probing import graded
from stimsynth.validate.torch_errors import explained
from stimuli_store.errors import InputError


def check_each_alone(
    what: str, function: Callable[[Tensor], Tensor], images: Tensor, output: Tensor
) -> None:
    """Check that a function gives the first image of a batch alone what it gives it among the others.

    The outputs may differ by rounding, which depends on the size of a batch: by √ε times the largest value.
    One image needs no check, and no pass.

    Parameters
    ----------
    what
        Name of the function, for errors.
    function
        A model.
    images
        Shape (b, c, h, w).
    output
        The function's output for them, finite, with the batch first.

    Raises
    ------
    InputError
        If the outputs have other shapes, or differ by more than rounding.
    """
    if len(images) == 1:
        return
    with torch.enable_grad(), explained(what, function, images[:1]):
        alone = graded(function, images[:1]).output.detach()
    among = output[:1].detach()
    if alone.shape == among.shape:
        size = max(float(x.abs().max()) for x in (alone, among))
        rounding = torch.finfo(among.dtype).eps ** 0.5 * size
        if torch.allclose(alone, among, rtol=0, atol=rounding):
            return
    raise InputError(
        f"{what} mixes the images of a batch: what it returns for one image depends on the "
        "others; treat each image alone, and give images that belong together as channels"
    )
