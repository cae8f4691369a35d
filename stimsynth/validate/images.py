"""The one check of what is handed in as images."""

from typing import Any

from torch import Tensor

from stimuli_store.errors import InputError


def real_images(image: Any, taker: str, shape: str = "(batch, channel, height, width)") -> Tensor:
    """Return images if they are a real, floating-point tensor (b, c, h, w) that is not empty.

    Parameters
    ----------
    image
        What was handed in.
    taker
        Who takes it, for the sentence.
    shape
        Which shape it takes, for the sentence.

    Raises
    ------
    InputError
        With one sentence on what was given and what would do.

    Examples
    --------
    >>> import torch
    >>> real_images(torch.zeros(1, 1, 2, 2), "this model").shape
    torch.Size([1, 1, 2, 2])
    """
    if not isinstance(image, Tensor):
        raise InputError(
            f"{taker} takes a torch tensor of shape {shape}; not {type(image).__name__}: "
            "use torch.as_tensor"
        )
    if image.dim() != 4 or not image.is_floating_point() or not image.numel():
        raise InputError(
            f"{taker} takes real images of shape {shape}, floating-point and not empty; not "
            f"{tuple(image.shape)} of {image.dtype}"
        )
    return image


def image_size(image_shape: Any, least: int) -> tuple[int, int]:
    """Return (height, width) if both are whole numbers from `least` up.

    Raises
    ------
    InputError
        If they are not.

    Examples
    --------
    >>> image_size([64, 48], 4)
    (64, 48)
    """
    try:
        height, width = (int(n) for n in image_shape)
        whole = (height, width) == tuple(image_shape)
    except (TypeError, ValueError):
        whole = False
    if not whole or min(height, width) < least:
        raise InputError(
            f"image_shape is (height, width), whole numbers of {least} or more; not {image_shape!r}"
        )
    return height, width
