"""Checks of images: of those that objects keep as copies, and of arguments of forward passes."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, TypeVar, cast

import torch
from torch import Tensor

from stimsynth.validate.inputs import as_tensor, validate_allowed_range
from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.gates import a_yes_or_no
from stimuli_store.tools.whole import wholes

Kind = Literal["real", "complex", "any", "ordered", "all"]
Forward = TypeVar("Forward", bound=Callable[..., Tensor])

IMAGES = "(batch, channel, height, width)"
#: Orders of arguments, as errors say them.
IMAGE_FIRST = "the image comes first, then the model, metric or objective"
MODEL_FIRST = "the model comes first, then the image"
_KINDS: dict[Kind, tuple[str, Callable[[Tensor], bool]]] = {
    "real": ("a real floating-point tensor", Tensor.is_floating_point),
    "complex": ("a complex tensor", Tensor.is_complex),
    "any": (
        "a floating-point or complex tensor",
        lambda x: x.is_floating_point() or x.is_complex(),
    ),
    "ordered": ("a real tensor", lambda x: not x.is_complex()),
    "all": ("a tensor", lambda _: True),
}


# -- images that objects keep ----------------------------------------------------------------------


def validate_input(
    input_tensor: Tensor,
    no_batch: bool = False,
    allowed_range: tuple[float, float] | None = None,
    *,
    any_dims: bool = False,
    what: str = "an image",
) -> None:
    """Check that an image is a tensor (batch, channel, height, width), finite, not empty, float or complex.

    Parameters
    ----------
    input_tensor
        The image.
    no_batch
        Whether the batch must be of size 1.
    allowed_range
        (low, high), inclusive, for its values; None for any.
    any_dims
        Accept any number of dimensions, for models of other data than images.
    what
        Name of the image in errors.

    Raises
    ------
    InputError
        (a ValueError) if the image fails a check.

    Examples
    --------
    >>> validate_input(torch.rand(1, 1, 8, 8), no_batch=True, allowed_range=(0, 1))
    """
    if not isinstance(input_tensor, Tensor):
        raise InputError(
            f"{what} must be a torch tensor; this is a {type(input_tensor).__name__}: "
            "convert it with torch.as_tensor"
        )
    if not (input_tensor.is_floating_point() or input_tensor.is_complex()):
        raise InputError(
            f"{what} must have a floating-point or complex type; this one has {input_tensor.dtype}: "
            "convert it with image.float(), and divide by its largest possible value"
        )
    if input_tensor.layout != torch.strided or input_tensor.is_meta or input_tensor.is_nested:
        raise InputError(
            f"{what} must be a dense tensor with values; this one is sparse, nested or on the device meta"
        )
    if input_tensor.dtype.itemsize < 2:
        raise InputError(
            f"{what} must have a type that torch computes with; {input_tensor.dtype} is for storage: "
            "convert it with image.float()"
        )
    if input_tensor.dim() != 4 and not any_dims:
        raise InputError(
            f"{what} must have shape {IMAGES}; this one has {tuple(input_tensor.shape)}: add dimensions with "
            "image[None, None]"
        )
    if input_tensor.numel() == 0:
        raise InputError(
            f"{what} is empty: its shape is {tuple(input_tensor.shape)}; every dimension must be at least 1"
        )
    if a_yes_or_no(no_batch, "no_batch") and (input_tensor.dim() == 0 or len(input_tensor) != 1):
        raise InputError(
            f"this takes one image at a time (a batch of 1), and {what} has shape "
            f"{tuple(input_tensor.shape)}"
        )
    if not bool(torch.isfinite(input_tensor).all()):
        raise InputError(f"{what} holds NaN or infinite values")
    if allowed_range is not None:
        _check_range(input_tensor, validate_allowed_range(allowed_range), what)


def kept_image(
    given: Any,
    what: str = "an image",
    *,
    bounds: tuple[float, float] | None = None,
    like: Tensor | None = None,
    one: bool = False,
    any_dims: bool = False,
    complex_too: bool = False,
    order: str = "",
) -> Tensor:
    """Return a copy of given images, checked as by `validate_input`.

    Parameters
    ----------
    given
        A tensor, or a value that `torch.as_tensor` converts.
    what
        Name of the images in errors.
    bounds
        (low, high), inclusive, for the values.
    like
        A tensor with the precision and device of the copy.
    one
        Whether the batch must be of size 1.
    any_dims
        Accept any number of dimensions.
    complex_too
        Accept complex values.
    order
        Order of the arguments, for the error if a model is given in place of the image: `IMAGE_FIRST` or
        `MODEL_FIRST`.

    Raises
    ------
    InputError
        (a ValueError) if the image fails a check.

    Examples
    --------
    >>> mine = torch.zeros(1, 1, 2, 2)
    >>> image = kept_image(mine, bounds=(0, 1))
    >>> bool((mine.fill_(7) == image).any())
    False
    """
    if order and callable(given):
        raise WrongType(
            f"{what} must be a torch tensor, not the {type(given).__name__} that was given: the "
            f"arguments are exchanged; {order}"
        )
    image = as_tensor(given, what).detach()
    validate_input(image, one, any_dims=any_dims, what=what)
    if image.is_complex() and not complex_too:
        raise InputError(f"{what} must be real, and this one is complex; give its real part")
    image = image.clone() if like is None else image.to(like, copy=True)
    if bounds is not None:  # in the precision in which it is kept
        _check_range(image, bounds, what)
    return image


def _check_range(image: Tensor, allowed_range: tuple[float, float], what: str) -> None:
    low, high = allowed_range
    if image.is_complex():
        raise InputError(
            "complex values have no order; leave allowed_range out for a complex image"
        )
    # Compared as tensor with number: in single precision, 0.3 lies inside a range up to 0.3.
    if bool(((image < low) | (image > high)).any()):
        raise InputError(
            f"the values of {what} lie in [{float(image.min()):g}, {float(image.max()):g}], outside the "
            f"allowed range [{low:g}, {high:g}]; rescale or clamp it"
        )


# -- arguments of forward passes -------------------------------------------------------------------
#
# These checks run in every forward pass, also inside vmap, jvp and compilers, so they look only at types and
# shapes: a check of the values would cost a pass over them, and on a GPU a wait.


def checked_tensor(
    x: Any,
    taker: str,
    shape: str = IMAGES,
    *,
    kind: Kind = "real",
    fourier: bool = False,
) -> Tensor:
    """Return a tensor after checking its type and its number of dimensions.

    Parameters
    ----------
    x
        The argument to check.
    taker
        Name of the function that takes it, for the error.
    shape
        Names of the dimensions, with … for any number of them.
    kind
        ``"real"``: floating-point; ``"complex"``; ``"any"`` of both; ``"ordered"``: all but complex; or
        ``"all"``.
    fourier
        Whether the function uses Fourier transforms, which torch has in single and double precision only.

    Raises
    ------
    InputError
        If the argument fails a check; the sentence says what was given and what is accepted.

    Examples
    --------
    >>> checked_tensor(torch.zeros(1, 1, 2, 2), "this model").shape
    torch.Size([1, 1, 2, 2])
    """
    if not isinstance(x, Tensor):
        raise WrongType(
            f"{taker} takes a torch tensor of shape {shape}; not {type(x).__name__}: use torch.as_tensor"
        )
    if x.layout != torch.strided or (x.is_floating_point() and x.dtype.itemsize < 2):
        raise InputError(
            f"{taker} takes a dense tensor of a type that torch computes with; not {x.dtype}, {x.layout}: "
            "use float32"
        )
    values, fits = _KINDS[kind]
    named, more = shape.count(",") + ("…" not in shape), "…" in shape
    if not fits(x) or x.dim() < named or (x.dim() > named and not more) or not x.numel():
        raise InputError(
            f"{taker} takes {values} of shape {shape}, not empty; not {tuple(x.shape)} of {x.dtype}"
        )
    if fourier and x.dtype.itemsize // (1 + x.is_complex()) < 4:
        raise WrongType(
            f"{taker} uses Fourier transforms, which torch does not have for {x.dtype}; use float32"
        )
    return x


def real_images(
    image: Any,
    taker: str,
    *,
    channels: int | None = None,
    size: tuple[int, int] | None = None,
    fourier: bool = True,
) -> Tensor:
    """Return real images (b, c, h, w) after checking their type, number of channels and size.

    Parameters
    ----------
    image
        The argument to check.
    taker
        Name of the function that takes it, for the error.
    channels
        Number of channels; None for any.
    size
        (height, width); None for any.
    fourier
        As for `checked_tensor`.

    Raises
    ------
    InputError
        If the argument fails a check; the sentence says what was given and what is accepted.

    Examples
    --------
    >>> real_images(torch.zeros(1, 1, 2, 2), "this model", channels=1).shape
    torch.Size([1, 1, 2, 2])
    """
    height, width = size or ("height", "width")
    shape = f"(batch, {channels or 'channel'}, {height}, {width})"
    checked_tensor(image, taker, shape, fourier=fourier)
    if channels not in (None, image.shape[1]) or size not in (None, tuple(image.shape[-2:])):
        raise InputError(f"{taker} takes images of shape {shape}; not {tuple(image.shape)}")
    return image


def unbatched_too(forward: Forward) -> Forward:
    """Return a model's forward that also takes one image (c, h, w), as torch's own layers do.

    The image becomes a batch of 1, and the output loses that dimension.

    Parameters
    ----------
    forward
        Method of images (b, c, h, w), with the batch first in its output.

    Examples
    --------
    >>> class Mean(torch.nn.Module):
    ...     @unbatched_too
    ...     def forward(self, image):
    ...         return image.mean((2, 3))
    >>> Mean()(torch.ones(2, 3, 8, 8)).shape, Mean()(torch.ones(3, 8, 8)).shape
    (torch.Size([2, 3]), torch.Size([3]))
    """

    @wraps(forward)
    def either(self: Any, *args: Any, **kwargs: Any) -> Tensor:
        if args and isinstance(args[0], Tensor) and args[0].dim() == 3:
            return forward(self, args[0].unsqueeze(0), *args[1:], **kwargs).squeeze(0)
        return forward(self, *args, **kwargs)

    return cast("Forward", either)


def image_size(image_shape: Any, least: int) -> tuple[int, int]:
    """Return (height, width) after checking that both are whole numbers of at least `least`.

    Raises
    ------
    InputError
        If they are not.

    Examples
    --------
    >>> image_size([64, 48], 4)
    (64, 48)
    """
    height, width = wholes(image_shape, "image_shape, (height, width),", least, count=2)
    return height, width
