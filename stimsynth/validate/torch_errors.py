"""Translation of torch's errors about types, devices and sizes into sentences with a remedy."""

import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stimuli_store.errors import InputError, StimsynthError, WrongDevice, WrongType

#: What torch says in part, and what to say instead.
_ADVICE: Mapping[str, str] = {
    r"numpy\(\)": "casts its input to numpy on the way, where gradients end; compute with torch throughout",
    "leaf Variable": "changes its input in place; use out-of-place operations (x * 2, not x.mul_(2))",
    "Inference tensors": (
        "has tensors made in torch.inference_mode, where gradients end; make and load it outside of that"
    ),
    "Unsupported dtype": "takes Fourier transforms, which torch has not in this precision; take float32",
    "not implemented for '(Half|BFloat16)'": (
        "has an operation that torch has not in half precision here; take float32"
    ),
}
#: Words of torch about channels, of which a layer has a fixed number.
_CHANNELS = (
    r"to have (?P<wanted>\d+) channels, but got (?P<given>\d+)",
    r"running_mean should contain (?P<given>\d+) elements not (?P<wanted>\d+)",
    r"[Nn]umber of channels",
)
#: Words of torch about heights, widths and numbers of values.
_SIZES = (
    "shapes cannot be multiplied",
    "size mismatch",
    "must match",
    "[Kk]ernel size",
    "[Oo]utput size is too small",
    "[Pp]adding size should be less",
    "invalid for input of size",
    "normalized_shape",
    r"[Ee]xpected .*\dD",
)
_MIXED_TYPES = r"should be the same$|same dtype|[Ee]xpected scalar type|promotion"
_MIXED_DEVICES = r"same device"
_TYPES = r"(?i)\b(d?types?|double|half|bfloat16|float|scalar)\b"
_DEVICES = r"(?i)\b(devices?|cuda|cpu|mps)\b"
_TORCH = str(Path(torch.__file__).parent)


@contextmanager
def explained(what: str, function: Callable[..., Any], *images: Tensor) -> Iterator[None]:
    """Replace, in a block, torch's errors about types, devices, channels and sizes by sentences.

    Parameters
    ----------
    what
        Name of the function, for the sentence.
    function
        Function or module that the block calls; the parameters of a module give its dtype and device.
    images
        Its arguments.

    Raises
    ------
    InputError
        Instead of an error raised inside torch. An error of the function's own code is passed on unchanged
        if no sentence is known for it.

    Examples
    --------
    >>> import torch
    >>> layer, image = nn.Conv2d(3, 4, 3), torch.zeros(1, 1, 8, 8)
    >>> with explained("layer", layer, image):
    ...     layer(image)
    Traceback (most recent call last):
    stimuli_store.errors.InputError: layer takes 3 channels where it gets 1; repeat the grey image ...
    """
    try:
        yield
    except StimsynthError:
        raise
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        words = (str(error).strip() or type(error).__name__).splitlines()[0]
        found = _explanation(function, images, words) or _of_torch(error, images, words)
        if found is None:
            raise
        kind, sentence = found
        raise kind(f"{what} {sentence}") from error


def _explanation(
    function: Callable[..., Any], images: tuple[Tensor, ...], words: str
) -> tuple[type[InputError], str] | None:
    for sign, sentence in _ADVICE.items():
        if re.search(sign, words):
            return InputError, sentence
    return _of_kinds(function, images[0], words) or _of_shapes(images, words)


def _of_torch(
    error: Exception, images: tuple[Tensor, ...], words: str
) -> tuple[type[InputError], str] | None:
    """Return a sentence for an error that was raised inside torch's own files."""
    where = traceback.extract_tb(error.__traceback__)[-1].filename
    if not where.startswith(_TORCH):
        return None
    shape, dtype = tuple(images[0].shape), images[0].dtype
    return InputError, (
        f"fails on images of shape {shape} and {dtype} ({words}); give a module whose forward takes "
        "images and returns a tensor"
    )


def _of_kinds(
    function: Callable[..., Any], image: Tensor, words: str
) -> tuple[type[InputError], str] | None:
    types = {tensor.dtype for tensor in _tensors(function)}
    if types and image.dtype not in types and re.search(_TYPES, words):
        return WrongType, (
            f"is of {_listed(types)} and the image of {image.dtype}; convert one of both, with "
            f"image.to({_listed(types)}) or model.to({image.dtype})"
        )
    places = {tensor.device for tensor in _tensors(function)}
    if places and image.device not in places and re.search(_DEVICES, words):
        return WrongDevice, (
            f"is on {_listed(places)} and the image on {image.device}; move one of both with .to()"
        )
    # A function does not show the tensors inside it; torch's words alone tell.
    if re.search(_MIXED_TYPES, words):
        return WrongType, (
            f"mixes precisions ({words}); the image is of {image.dtype}: convert it, or the model inside"
        )
    if re.search(_MIXED_DEVICES, words):
        return WrongDevice, (
            f"mixes devices ({words}); the image is on {image.device}: move it, or the model inside"
        )
    return None


def _of_shapes(images: tuple[Tensor, ...], words: str) -> tuple[type[InputError], str] | None:
    for sign in _CHANNELS:
        if match := re.search(sign, words):
            return InputError, _of_channels(match.groupdict(), words)
    if any(re.search(sign, words) for sign in _SIZES):
        shapes = " and ".join(str(tuple(image.shape)) for image in images)
        return InputError, (
            f"does not take images of shape {shapes} ({words}); crop or resize them to what it was made for"
        )
    return None


def _of_channels(numbers: Mapping[str, str], words: str) -> str:
    if not numbers:
        return f"takes another number of channels ({words}); give an image with as many as it was made for"
    wanted, given = numbers["wanted"], numbers["given"]
    remedy = (
        f"repeat the grey image in them, with image.expand(-1, {wanted}, -1, -1)"
        if given == "1"
        else "give an image with as many as it was made for"
    )
    return f"takes {wanted} channels where it gets {given}; {remedy}"


def _tensors(function: Callable[..., Any]) -> Iterator[Tensor]:
    """Yield the floating-point parameters and buffers of a module."""
    if isinstance(function, nn.Module):
        for tensor in chain(function.parameters(), function.buffers()):
            if tensor.is_floating_point() or tensor.is_complex():
                yield tensor


def _listed(things: set[Any]) -> str:
    return " and ".join(sorted(map(str, things)))
