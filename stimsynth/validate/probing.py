"""Checks that models and penalties have in common: calls with a test image, and properties of the output."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from stimsynth.numerics.generators import generator_for
from stimuli_store.errors import InputError, WrongDevice, WrongType
from stimuli_store.tools.whole import wholes

ImageShape = tuple[int, int, int, int]

#: Parts of some of torch's error messages, and our sentences for them.
_ADVICE = {
    "numpy()": "casts its input to numpy on the way, where gradients end; compute with torch throughout",
    "leaf Variable": "changes its input in place; use out-of-place operations (x * 2, not x.mul_(2))",
    "Unsupported dtype": "uses Fourier transforms, which torch does not have in this precision; use float32",
}


def probe_image(
    shape: ImageShape | None, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
) -> Tensor:
    """Return a test image of noise in [0, 1), always the same, independent of torch's global random state."""
    size = (1, 1, 16, 16) if shape is None else _checked_shape(shape)
    generator = generator_for("probe", 0)
    noise = torch.rand(size, generator=generator, dtype=torch.float64)
    return noise.to(device=device, dtype=dtype)


def refuse_inference_mode() -> None:
    """Raise InputError inside of `torch.inference_mode`, where there are no gradients.

    Raises
    ------
    InputError
        Inside of `torch.inference_mode`.
    """
    if torch.is_inference_mode_enabled():
        raise InputError("synthesis needs gradients; call it outside of torch.inference_mode")


def called(what: str, function: Callable[..., Any], *images: Tensor, **keywords: Any) -> Any:
    """Return ``function(*images, **keywords)``; errors get a note on the test image."""
    try:
        return function(*images, **keywords)
    except Exception as error:
        shapes = " and ".join(str(tuple(image.shape)) for image in images)
        error.add_note(
            f"({what} was called on a test image of shape {shapes}; "
            "if it takes another shape, give it as image_shape)"
        )
        raise


def probe(what: str, function: Callable[[Tensor], Any], image: Tensor) -> Tensor:
    """Return the output of a function for `image`, after checking that it is fixed and differentiable.

    Raises
    ------
    InputError
        (a ValueError) if the function adds a gradient, strips it, or leaves torch.
    WrongType
        (also a TypeError) if precision changes.
    WrongDevice
        (also a RuntimeError) if the device changes.
    """
    refuse_inference_mode()
    plain = called(what, function, image)
    if not isinstance(plain, Tensor):
        raise InputError(
            f"{what} returns {type(plain).__name__} for a tensor; "
            "return a torch.Tensor, computed by torch throughout"
        )
    if plain.requires_grad:
        raise InputError(
            f"{what} adds a gradient to its input, so it has learnable parameters; "
            "call stimsynth.remove_grad on it first"
        )
    output = _with_gradient(what, function, image)
    if output.real.dtype != image.real.dtype:
        raise WrongType(
            f"{what} changes precision from {image.dtype} to {output.dtype}; "
            f"convert it with .to({image.dtype}), and make constants in the type of the input"
        )
    if output.device != image.device:
        raise WrongDevice(
            f"{what} takes a tensor on {image.device} and returns one on {output.device}; "
            "make its own tensors on the device of the input"
        )
    return output.detach()


def _with_gradient(what: str, function: Callable[[Tensor], Any], image: Tensor) -> Tensor:
    asking = image.clone().requires_grad_(True)
    with advice(what):
        output = called(what, function, asking)
    if not output.requires_grad:
        raise strips_gradient(what)
    return output


def strips_gradient(what: str) -> InputError:
    """Return the error for a function whose output has no gradient."""
    return InputError(
        f"{what} strips the gradient of its input; "
        "leave out detach, torch.no_grad, rounding and conversions to other types"
    )


@contextmanager
def advice(what: str) -> Iterator[None]:
    """Replace some of torch's own errors by errors that say what to do."""
    try:
        yield
    except RuntimeError as error:
        for sign, sentence in _ADVICE.items():
            if sign in str(error):
                raise InputError(f"{what} {sentence}") from error
        raise


def _checked_shape(shape: object) -> ImageShape:
    batch, channels, *size = wholes(
        shape, "image_shape, (batch, channel, height, width),", 1, count=4
    )
    return batch, channels, size[0], size[1]
