"""Parts of a model's output that are plotted each on axes of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from stimsynth.images.arrays import to_numpy
from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.whole import whole

Output = Tensor | np.ndarray | Mapping[str, Tensor | np.ndarray]
_MOST = 12  # channels with axes of their own; more are drawn side by side in one


@dataclass(frozen=True, kw_only=True)
class OutputPart:
    """A part of a model's output for one image that has axes of its own.

    Attributes
    ----------
    title
        Name; empty if the output has one part.
    values
        Numbers (n,), or pixels (height, width) or (height, width, 3 or 4).
    """

    title: str
    values: np.ndarray


def output_parts(data: Any, batch_idx: int = 0, *, as_rgb: bool = False) -> list[OutputPart]:
    """Return the parts of an output for one image: its channels, or the channels of its entries.

    Raises
    ------
    InputError
        If there is no such image, or the shape is not that of an output.
    """
    if not isinstance(data, Mapping):
        return [
            OutputPart(title=part.title, values=part.values)
            for part in _channels(data, batch_idx, as_rgb)
        ]
    if not data:
        raise InputError("there is nothing to plot: the dictionary of outputs is empty")
    return [
        OutputPart(title=", ".join(filter(None, (str(name), part.title))), values=part.values)
        for name, values in data.items()
        for part in _channels(values, batch_idx, as_rgb)
    ]


def _channels(data: Any, batch_idx: int, as_rgb: bool) -> list[OutputPart]:
    """Return the channels of an output for one image, with their numbers if there are several."""
    channels = item_of(data, batch_idx)
    if np.iscomplexobj(channels):
        channels = np.concatenate([channels.real, channels.imag])
    if channels.ndim >= 3 and min(channels.shape[-2:]) > 1:
        return _image_parts(channels.reshape(-1, *channels.shape[-2:]), as_rgb)
    rows = channels.reshape(len(channels), -1) if channels.ndim > 1 else channels[None]
    if len(rows) > _MOST:
        rows = np.concatenate([rows, np.full((len(rows), 1), np.nan)], axis=1).reshape(1, -1)
    return _numbered(list(rows))


def _image_parts(images: np.ndarray, as_rgb: bool) -> list[OutputPart]:
    if as_rgb:
        if len(images) not in (3, 4):
            raise InputError(
                f"as_rgb needs 3 channels, or 4 with the opacity; there are {len(images)}"
            )
        return _numbered([np.moveaxis(images, 0, -1)])
    return _numbered(list(images) if len(images) <= _MOST else [side_by_side(images)])


def side_by_side(images: np.ndarray) -> np.ndarray:
    """Return images (n, height, width) in a nearly square grid in one, with gaps of one pixel of NaN.

    Examples
    --------
    >>> side_by_side(np.zeros((5, 4, 4))).shape
    (9, 14)
    """
    count, height, width = images.shape
    columns = int(np.ceil(np.sqrt(count * height / width)))
    rows = -(-count // columns)
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        top, left = row * (height + 1), column * (width + 1)
        sheet[top : top + height, left : left + width] = image
    return sheet


def _numbered(arrays: list[np.ndarray]) -> list[OutputPart]:
    if len(arrays) == 1:
        return [OutputPart(title="", values=arrays[0])]
    return [OutputPart(title=f"channel {i}", values=x) for i, x in enumerate(arrays)]


def item_of(data: Any, batch_idx: int) -> np.ndarray:
    """Return the output for one image of a batch, shape (channel, …).

    Raises
    ------
    InputError, WrongType
        If it is no output, or there is no such image.
    """
    if not isinstance(data, Tensor | np.ndarray):
        raise WrongType(
            f"a representation is a tensor or a dictionary of tensors; not a {type(data).__name__}"
        )
    array, number = to_numpy(data), whole(batch_idx, "batch_idx")
    if array.ndim < 2 or 0 in array.shape:
        raise InputError(
            "a representation must have shape (batch, channel, n) or (batch, channel, height, width), with "
            f"no dimension of 0; not {array.shape}"
        )
    if not -len(array) <= number < len(array):
        raise InputError(f"the batch has {len(array)} images; there is no batch_idx {number}")
    return array[number]


def named_parts(model: nn.Module | None, data: Any) -> Any:
    """Return an output as a dictionary if the model has a `convert_to_dict`, else unchanged."""
    convert: Callable[[Any], Any] | None = getattr(model, "convert_to_dict", None)
    return convert(data) if convert is not None and isinstance(data, Tensor) else data
