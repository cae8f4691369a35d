"""Checks common to models and penalties: two equal passes, and properties of the output."""

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook

from stimsynth.numerics.generators import generator_for
from stimsynth.validate.gates import a_device
from stimsynth.validate.torch_errors import explained
from stimuli_store.errors import InputError, WrongDevice, WrongType
from stimuli_store.tools.gates import briefly
from stimuli_store.tools.whole import wholes

ImageShape = tuple[int, int, int, int]

#: How far two outputs for one image may be apart, in units of rounding (ε times the largest value of both):
#: sums that several threads share, and torch's faster ways without gradients, add in another order.
ROUNDING_STEPS = 256


def probe_image(
    shape: ImageShape | None, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
) -> Tensor:
    """Return a test image of noise in [0, 1), always the same, independent of torch's global random state."""
    size = (1, 1, 16, 16) if shape is None else _checked_shape(shape)
    if not isinstance(dtype, torch.dtype) or not (dtype.is_floating_point or dtype.is_complex):
        raise WrongType(
            f"image_dtype must be a type of torch, such as torch.float32; not {briefly(dtype)}"
        )
    device = a_device(device, "device")
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


class Passes(NamedTuple):
    """Image and output of the second of two equal passes, with the autograd graph between them."""

    image: Tensor
    output: Tensor


def probe(what: str, function: Callable[[Tensor], Any], image: Tensor) -> Passes:
    """Return image and output of a function, after checking that it is deterministic and differentiable.

    Raises
    ------
    InputError
        (a ValueError) if the function adds a gradient, strips it, leaves torch, is random, or is a module
        that changes its buffers.
    WrongType
        (also a TypeError) if precision changes.
    WrongDevice
        (also a RuntimeError) if the device changes.
    """
    return two_passes(what, function, image, partial(called, what, function))


def two_passes(
    what: str,
    function: Callable[[Tensor], Any],
    image: Tensor,
    call: Callable[[Tensor], Any] | None = None,
) -> Passes:
    """Return image and output of a function, after checking that two passes agree.

    Parameters
    ----------
    what
        Name of the function, for errors.
    function
        A model, or any function of an image.
    image
        What it is called with; each pass gets a copy of its own.
    call
        How it is called; None for as it is.

    Raises
    ------
    InputError, WrongType, WrongDevice
        As for `probe`.
    """
    refuse_inference_mode()
    call = function if call is None else call
    parameters = function.parameters() if isinstance(function, nn.Module) else ()
    if any(parameter.is_meta for parameter in parameters):
        raise InputError(
            f"{what} has parameters without values, on the device meta; load its weights first"
        )
    with torch.enable_grad(), unchanged(what), explained(what, function, image):
        plain = call(image.detach().clone())
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
        passes = graded(call, image)
    if not passes.output.requires_grad:
        raise strips_gradient(what)
    _check_kind(what, passes.output, image)
    noun = "model" if isinstance(function, nn.Module) else "function"
    check_equal(what, noun, plain, passes.output.detach())
    return passes


def graded(call: Callable[[Tensor], Any], image: Tensor) -> Passes:
    """Return an image and the function's output for it, with the autograd graph between them."""
    asking = image.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        return Passes(asking, call(asking))


def slope_of(passes: Passes) -> Tensor:
    """Return the gradient of a random sum of the outputs with respect to the image."""
    image, output = passes
    if not output.requires_grad:  # a function may branch on the values
        return torch.zeros_like(image)
    weights = torch.randn(
        output.shape, generator=generator_for("weights", 0), dtype=torch.float64
    ).to(output)
    (slope,) = torch.autograd.grad(output, image, weights, allow_unused=True)
    return torch.zeros_like(image) if slope is None else slope


def check_slopes(what: str, slopes: Iterable[Tensor], flat: InputError | None = None) -> None:
    """Raise `flat` if a function's gradient is 0 at all of several images; warn if it is finite at none.

    Parameters
    ----------
    what
        Name of the function, for errors.
    slopes
        Gradients at images, each with the batch first; the first that fits is the last that is computed.
    flat
        Error to raise if the gradient is 0 at all images; None if it may be.

    Raises
    ------
    InputError
        With `flat`, if the gradient is 0 at all images where it is finite.

    Warns
    -----
    UserWarning
        If there is no image at which the gradient is finite.
    """
    defined = False
    for slope in slopes:
        rows = slope.flatten(1)
        finite = torch.isfinite(rows).all(dim=1)
        if bool((finite & ((rows != 0).any(dim=1) | (flat is None))).any()):
            return
        defined |= bool(finite.any())
    if defined and flat is not None:
        raise flat
    warnings.warn(
        f"the gradient of {what} is NaN or infinite at this image; square roots and logarithms of 0 are the "
        "usual cause: use another image, or add a small constant under the root",
        stacklevel=4,
    )


@contextmanager
def unchanged(what: str) -> Iterator[None]:
    """Check that a block leaves the buffers of all modules that it calls unchanged; restore them otherwise.

    Raises
    ------
    InputError
        If a buffer has changed, as those of batch normalization do in training mode.
    """
    before: list[tuple[nn.Module, dict[str, Tensor]]] = []
    known: set[int] = set()
    own_thread = threading.get_ident()

    # Seen at its call, a module is found wherever it hides: in a lambda, a method or a list.
    def remember(module: nn.Module, _: Any) -> None:
        if id(module) not in known and threading.get_ident() == own_thread:
            known.update(map(id, module.modules()))
            # Shared buffers have one name here, and a buffer that was not made yet has none.
            own = {name: buffer.detach().clone() for name, buffer in module.named_buffers()}
            before.append((module, own))

    changed: list[str] = []
    hook = register_module_forward_pre_hook(remember)
    try:
        yield
    finally:
        hook.remove()
        for module, own in before:
            for name, buffer in module.named_buffers():
                if name in own and not _same_values(buffer, own[name]):
                    changed.append(name)
                    _put_back(module, name, buffer, own[name])
    if changed:
        raise InputError(
            f"{what} changes its buffers {', '.join(changed)} when it is called, but must be constant during "
            "synthesis; call model.eval() first (the buffers are restored)"
        )


def _same_values(buffer: Tensor, before: Tensor) -> bool:
    if buffer.is_meta or buffer.layout != torch.strided or torch.equal(buffer, before):
        return True
    same = buffer.shape == before.shape
    return same and torch.allclose(buffer, before, rtol=0, atol=0, equal_nan=True)


def _put_back(module: nn.Module, name: str, buffer: Tensor, before: Tensor) -> None:
    if buffer.shape == before.shape:
        with torch.no_grad():
            buffer.copy_(before)
    else:
        owner, _, own = name.rpartition(".")
        setattr(module.get_submodule(owner), own, before)


def _check_kind(what: str, output: Tensor, image: Tensor) -> None:
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
    if output.layout != torch.strided:
        raise InputError(f"{what} returns a sparse tensor; return output.to_dense()")


def check_equal(what: str, noun: str, first: Tensor, second: Tensor) -> None:
    """Raise an error if two outputs for one image differ by more than rounding.

    Raises
    ------
    InputError
        That says by how much they differ.
    """
    if torch.equal(first, second):
        return
    if first.shape != second.shape:
        raise InputError(
            f"the {noun} is random: two calls of {what} with one image return shapes "
            f"{tuple(first.shape)} and {tuple(second.shape)}"
        )
    sizes = torch.stack([x.abs().nan_to_num(posinf=0).max() for x in (first, second)])
    rounding = ROUNDING_STEPS * torch.finfo(sizes.dtype).eps * float(sizes.max())
    if not torch.allclose(first, second, rtol=0, atol=rounding, equal_nan=True):
        gap = float((first - second).abs().nan_to_num().max())
        raise InputError(
            f"the {noun} is random: two calls of {what} with one image differ by up to {gap:.3g}; call "
            "eval() to end dropout, or draw its random numbers once and keep them"
        )


def strips_gradient(what: str) -> InputError:
    """Return the error for a function whose output has no gradient."""
    return InputError(
        f"{what} strips the gradient of its input; "
        "leave out detach, torch.no_grad, rounding and conversions to other types"
    )


def _checked_shape(shape: object) -> ImageShape:
    batch, channels, *size = wholes(
        shape, "image_shape, (batch, channel, height, width),", 1, count=4
    )
    return batch, channels, size[0], size[1]
