"""Checks of metrics, penalties and losses."""

import inspect
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from stimsynth.numerics.numbers import real_number
from stimsynth.validate.probing import (
    ImageShape,
    called,
    check_equal,
    check_slopes,
    graded,
    probe,
    probe_image,
    refuse_inference_mode,
    slope_of,
    strips_gradient,
    two_passes,
    unchanged,
)
from stimsynth.validate.torch_errors import explained
from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.gates import briefly

#: Upper limit of a metric for two identical images: 1 - SSIM is about 5e-8 in single precision.
ZERO = 5e-7


def validate_metric(
    metric: Callable[[Tensor, Tensor], Tensor],
    image_shape: ImageShape | None = None,
    image_dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
) -> None:
    """Check that `metric` can be used for maximum differentiation, on test images.

    Parameters
    ----------
    metric
        Function or module of two images.
    image_shape
        Shape of the test images; None for (1, 1, 16, 16).
    image_dtype
        Type of the test images.
    device
        Device of the test images.

    Raises
    ------
    WrongType
        (also a TypeError) if the metric cannot be called with two images.
    InputError
        (a ValueError) if it does not return a tensor with one element, or not 0 (up to 5e-7) for
        identical images, or is negative for two different ones.

    Examples
    --------
    >>> from stimsynth.metrics import mse
    >>> validate_metric(mse)
    """
    first = probe_image(image_shape, image_dtype, device)
    _refuse_negative(metric, first, _measured(metric, first))


def validate_penalty(
    penalty_function: Callable[[Tensor], Tensor],
    image_shape: ImageShape | None = None,
    image_dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
) -> None:
    """Check that `penalty_function` can be added to an objective, on a test image.

    Parameters
    ----------
    penalty_function
        Function or module of one image.
    image_shape, image_dtype, device
        Shape, type and device of the test image, as for `validate_metric`.

    Raises
    ------
    WrongType
        (also a TypeError) if the function cannot be called with an image, changes precision, or
        returns a complex number.
    InputError
        (a ValueError) if it does not return a tensor with one element, has learnable parameters,
        strips the gradient, or casts to numpy and back.
    WrongDevice
        (also a RuntimeError) if it changes the device.

    Examples
    --------
    >>> validate_penalty(lambda image: image.clamp_min(1).sum())
    """
    name = function_name(penalty_function)
    _check_callable(name, penalty_function, 1)
    passes = probe(name, penalty_function, probe_image(image_shape, image_dtype, device))
    _check_real_scalar(name, passes.output)


def check_score(
    function: Callable[[Tensor], Tensor], starts: Tensor, *, moves: bool = False
) -> None:
    """Check that a function of one image returns a finite scalar with a gradient at the starts.

    Parameters
    ----------
    function
        Function or module of one image, with a batch of 1.
    starts
        Shape (batch, …). Two passes are made on the first.
    moves
        Whether the objective has no other term, so that this gradient must not be 0 everywhere.

    Raises
    ------
    InputError
        (a ValueError), as `validate_penalty` does, or if the gradient is 0 at all starts.

    Warns
    -----
    UserWarning
        If the gradient is NaN or infinite at all starts.
    """
    name = function_name(function)
    _check_callable(name, function, 1)
    first = two_passes(name, function, starts[:1])
    _check_real_scalar(name, first.output)
    points = chain([first], (graded(function, start[None]) for start in starts[1:]))
    flat = InputError(
        f"{name} does not change with any pixel of the initial_image: its gradient is 0 there; use another "
        "image"
    )
    check_slopes(name, map(slope_of, points), flat if moves else None)


def check_metric(metric: Callable[[Tensor, Tensor], Tensor], image: Tensor) -> None:
    """Check that a metric can be optimized and held constant between images like `image`.

    Raises
    ------
    InputError
        (a ValueError) if `validate_metric` refuses it, it strips the gradient or has none but zeros, is
        random, or is negative for two different images.
    """
    name = function_name(metric)
    first = probe_image((1, *image.shape[1:]), image.dtype, image.device)
    value = _measured(metric, first)
    refuse_inference_mode()
    with torch.enable_grad(), explained(name, metric, first, first):
        passes = graded(partial(metric, first), first.roll(1, -1))
    if not passes.output.requires_grad:
        raise strips_gradient(name)
    check_slopes(name, [slope_of(passes)], strips_gradient(name))
    check_equal(name, "metric", value, passes.output.detach())
    _refuse_negative(metric, first, value)


def check_start_slopes(
    metric: Callable[[Tensor, Tensor], Tensor], images: Tensor, starts: Tensor
) -> None:
    """Warn unless a metric's gradient is finite at one of the starts.

    Pixels that equal those of the image do not count: on such a kink, the slopes to its sides do.
    """
    pairs = [(image[None], start[None]) for image, start in zip(images, starts, strict=True)]
    slopes = [slope_of(graded(partial(metric, x), y)).where(x != y, 0) for x, y in pairs]
    check_slopes(function_name(metric), slopes)


def _refuse_negative(
    metric: Callable[[Tensor, Tensor], Tensor], first: Tensor, value: Tensor
) -> None:
    """Raise InputError if a metric, with `value` for one pair of images, is negative for it or another."""
    with torch.no_grad():
        # A brighter and a darker image detect a difference that is not squared.
        values = (value, metric(first, first / 2), metric(first, (first + 1) / 2))
    for number in (float(found.real) for found in values):
        if number <= -ZERO:
            raise InputError(
                f"{function_name(metric)} is {number:g} for two different images, but a metric must be above "
                "0; use its square or its absolute value"
            )


def _measured(metric: Callable[[Tensor, Tensor], Tensor], image: Tensor) -> Tensor:
    """Return a metric's value for a test image and another one, after checking that it is a scalar."""
    name = function_name(metric)
    _check_callable(name, metric, 2)
    other = image.roll(1, -1)
    with unchanged(name), explained(name, metric, image, other):
        found = [called(name, metric, image, x) for x in (other, image.clone())]
    for value in found:
        _check_scalar(name, value)
    value, same = (value.detach() for value in found)
    if not float(same.abs()) < ZERO:
        raise InputError(
            f"{name} is {float(same.real):g} for two identical images, but a metric must be 0; "
            "turn a similarity into a distance, for example 1 - similarity"
        )
    return value


def named_pair(given: Any, order: tuple[str, str]) -> tuple[Any, Any]:
    """Return a pair of values; raise an error that names both if there are not two.

    Raises
    ------
    WrongType
        (also a TypeError) if there are more or fewer than two.
    """
    if len(given) != 2:
        raise WrongType(f"a pair must be ({order[0]}, {order[1]}); not {briefly(given)}")
    return given[0], given[1]


def weighted(penalty: Any) -> tuple[float, Any]:
    """Return (weight, function) of a penalty, which is a function or a pair of both.

    Raises
    ------
    InputError
        (a ValueError) if the weight is not a finite number, or the tuple is no pair.

    Examples
    --------
    >>> weighted(abs), weighted((2, abs))
    ((1.0, <built-in function abs>), (2.0, <built-in function abs>))
    """
    if not isinstance(penalty, tuple):
        return 1.0, penalty
    weight, function = named_pair(penalty, ("weight", "function"))
    return real_number(weight, "the weight of a penalty (given before its function)"), function


def check_loss(loss_function: Callable[[Tensor, Tensor], Tensor], output: Tensor) -> None:
    """Check that a loss can be minimized, on a model's own output.

    Parameters
    ----------
    loss_function
        Function of two outputs.
    output
        Output of the model for one image, with a batch of 1.

    Raises
    ------
    WrongType
        (also a TypeError) if the function cannot be called with two outputs, changes precision, or
        returns a complex number.
    InputError
        (a ValueError) if it does not return a tensor with one element, strips the gradient, or changes
        the output that it is to compare with.
    """
    name = function_name(loss_function)
    _check_callable(name, loss_function, 2, "model output")
    fixed, given = output.detach(), output.detach().clone()
    with torch.enable_grad(), unchanged(name), explained(name, loss_function, fixed):
        value = loss_function(fixed.clone().requires_grad_(True), given)
    if not torch.allclose(given, fixed, rtol=0, atol=0, equal_nan=True):
        raise InputError(
            f"{name} changes the target in place; use operations that make new tensors, such as "
            "x - y instead of x -= y"
        )
    _check_scalar(name, value)
    if not value.requires_grad:
        raise strips_gradient(name)
    if value.dtype != fixed.real.dtype:
        raise WrongType(
            f"{name} returns {value.dtype} for outputs of {fixed.dtype}; return {fixed.real.dtype}, with "
            "constants in the type of the outputs and abs() of complex values"
        )
    with torch.no_grad():
        away = fixed.flip(-1) + 0.5
        first, second = (loss_function(away.clone(), fixed.clone()) for _ in range(2))
    check_equal(name, "loss", first, second)


def function_name(function: object) -> str:
    """Return the name of a function or module for errors and files."""
    return getattr(function, "__name__", type(function).__name__)


def _check_callable(name: str, function: Any, images: int, of: str = "image") -> None:
    """Check that a function can be called with a number of images, without calling it."""
    if isinstance(function, type):
        raise WrongType(f"{name} is a class; give an object of it, {name}()")
    shape = " (batch, channel, height, width)" if of == "image" else ""
    wanted = f"a function of {images} {of}{'s' if images > 1 else ''}{shape}"
    if not callable(function):
        raise WrongType(f"{name} cannot be called; give {wanted}")
    target = function.forward if isinstance(function, torch.nn.Module) else function
    try:
        signature = inspect.signature(target)
    except ValueError:  # some functions written in C have no signature; the call will show
        return
    try:
        signature.bind(*range(images))
    except TypeError as error:
        raise WrongType(
            f"{name} cannot be called with {images} arguments; give {wanted}"
        ) from error


def _check_real_scalar(name: str, value: Tensor) -> None:
    _check_scalar(name, value)
    if value.is_complex():
        raise WrongType(f"{name} returns a complex number; return a real one, such as its abs()")


def _check_scalar(name: str, value: object) -> None:
    if not isinstance(value, Tensor):
        raise InputError(
            f"{name} returns {type(value).__name__}; return a torch tensor with one element"
        )
    if value.numel() != 1:
        raise InputError(
            f"{name} returns shape {tuple(value.shape)}; return one number, for example its mean()"
        )
