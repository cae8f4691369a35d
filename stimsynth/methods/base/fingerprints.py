"""Fingerprints of functions: values on fixed images, which identify a function in a file without its code."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from stimsynth.numerics.generators import generator_for
from stimsynth.validate.functions import function_name

_INSIDE = ((0.0, 1.0), (0.97, 0.03), (0.0, 0.03))
_BEYOND = ((-1.0, 3.0), (-20.0, 41.0))


def fingerprint(
    function: Callable[..., Tensor],
    like: Tensor,
    bounds: tuple[float, float] = (0.0, 1.0),
    *,
    n_images: int = 1,
    beyond: bool = True,
) -> dict[str, Any]:
    """Return the name of a function and its values on fixed sets of noise images.

    They are of medium, high and low values, and beyond the range by little and by much: penalties are often 0
    on one side of a threshold.

    Parameters
    ----------
    function
        Function of images that returns one number, as a tensor of any shape with one element.
    like
        A tensor of the shape, precision and device of the images.
    bounds
        (low, high), the range of their values.
    n_images
        Number of images that the function takes.
    beyond
        Whether to call it also on images that extend beyond the range, since penalties are often 0 inside.

    Returns
    -------
    dict
        ``"name"``, and ``"values"``: one number for each set of images; for images beyond the range, the name
        of the error if the function raises one.

    Examples
    --------
    >>> one = torch.zeros(1, 1, 2, 2)
    >>> round(fingerprint(torch.mean, one)["values"][0], 3) == 0.5
    False
    >>> *inside, near, far = fingerprint(lambda x: (x - 1).clamp_min(0).sum(), one)["values"]
    >>> inside, near > 0, far > near
    ([0.0, 0.0, 0.0], True, True)
    """
    values: list[float | str] = []
    for span in (*_INSIDE, *(_BEYOND if beyond else ())):
        images = [_image(like, bounds, span, number) for number in range(n_images)]
        try:
            values.append(_value(function, images))
        # A function may refuse what lies out of range; that must not keep anybody from saving a run.
        except Exception as error:
            if span not in _BEYOND:
                raise
            values.append(type(error).__name__)
    return {"name": function_name(function), "values": values}


def summed(model: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return a function of an image: the model's output summed with fixed random weights."""

    def total(image: Tensor) -> Tensor:
        output = model(image)
        flat = torch.view_as_real(output) if output.is_complex() else output
        generator = generator_for("fingerprint of a model", 0)
        weights = torch.randn(flat.shape, generator=generator, dtype=torch.float64)
        return (flat.double() * weights.to(flat.device)).sum()

    total.__name__ = function_name(model)
    return total


def _image(
    like: Tensor, bounds: tuple[float, float], span: tuple[float, float], number: int
) -> Tensor:
    """Return uniform noise shaped like `like`, over a part of a range: its begin and its width, in widths."""
    low, high = bounds
    generator = generator_for("fingerprint", number)
    dtype = torch.complex128 if like.is_complex() else torch.float64
    noise = torch.rand(like.shape, generator=generator, dtype=dtype)
    begin, width = span
    return (low + (high - low) * (begin + width * noise)).to(like)


def _value(function: Callable[..., Tensor], images: list[Tensor]) -> float:
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values out of range
        return float(function(*images).real)
