"""Checks of models."""

import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from stimsynth.validate.gates import a_module
from stimsynth.validate.probing import (
    ImageShape,
    called,
    check_slopes,
    graded,
    probe,
    probe_image,
    slope_of,
    strips_gradient,
    two_passes,
)
from stimsynth.validate.torch_errors import explained
from stimuli_store.errors import InputError, LacksAttribute, WrongType
from stimuli_store.tools.gates import a_function, takes

TRAINING = (
    "model is in training mode, you probably want to call eval() to switch to evaluation mode"
)


@takes(model=a_module)
def remove_grad(model: nn.Module) -> nn.Module:
    """Detach all parameters and buffers of a model in place, and return the model.

    Synthesis changes the image, never the model; it refuses a model with learnable parameters.

    Parameters
    ----------
    model
        Any module; parts of it are detached too.

    Examples
    --------
    >>> any(p.requires_grad for p in remove_grad(nn.Conv2d(1, 2, 3)).parameters())
    False
    """
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for module in model.modules():
        for name, buffer in list(module.named_buffers(recurse=False)):
            setattr(module, name, buffer.detach())
    return model


@takes(model=a_function)
def validate_model(
    model: nn.Module,
    image_shape: ImageShape | None = None,
    image_dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
) -> None:
    """Check that `model` can be used for synthesis, on a test image.

    Parameters
    ----------
    model
        Anything that is called with an image.
    image_shape
        Shape of the test image; None for (1, 1, 16, 16).
    image_dtype
        Type of the test image, real or complex.
    device
        Device of the test image.

    Raises
    ------
    InputError
        (a ValueError) if the model adds a gradient (it has learnable parameters), returns something
        other than a tensor, strips the gradient or has only zero gradients, casts to numpy and back,
        changes its input in place, or returns a tensor that is not finite or has not 3 or 4 dimensions.
    WrongType
        (also a TypeError) if it changes precision.
    WrongDevice
        (also a RuntimeError) if it changes the device.

    Warns
    -----
    UserWarning
        If the model is in training mode.

    Examples
    --------
    >>> from stimsynth.models import Gaussian
    >>> validate_model(remove_grad(Gaussian(7)).eval())
    """
    _check_no_class(model)
    name = _name(model)
    image = probe_image(image_shape, image_dtype, device)
    passes = probe(name, model, image)
    output = passes.output
    if output.dim() not in (3, 4):
        raise InputError(
            f"{name} returns a tensor of shape {tuple(output.shape)} for an image; return 3 or 4 "
            "dimensions (batch, channel, then values or height and width), for example with "
            "output.flatten(1)[:, None]"
        )
    _check_output(name, output, image, joins=True)
    check_slopes(name, [slope_of(passes)], strips_gradient(name))
    if getattr(model, "training", False):
        warnings.warn(TRAINING, stacklevel=2)


def validate_coarse_to_fine(
    model: nn.Module,
    image_shape: ImageShape | None = None,
    device: str | torch.device = "cpu",
) -> None:
    """Check that `model` can be used for coarse-to-fine synthesis, on a test image.

    The shape of the output for all scales is compared with the shapes for every single scale and for all
    scales but one: 2n calls for n scales.

    Parameters
    ----------
    model
        A model with an attribute `scales`, which takes an image and a list of some of them.
    image_shape
        Shape of the test image; None for (1, 1, 16, 16). A small image makes the check fast.
    device
        Device of the test image.

    Raises
    ------
    LacksAttribute
        (also an AttributeError) if there is no attribute `scales`.
    WrongType
        (also a TypeError) if the model takes no keyword `scales`.
    InputError
        (a ValueError) if a strict subset does not change the shape of the output.

    Examples
    --------
    >>> class Bands(nn.Module):
    ...     scales = ["low", "high"]
    ...     def forward(self, image, scales=None):
    ...         return torch.cat([image for _ in scales or self.scales], dim=1)
    >>> validate_coarse_to_fine(Bands())
    """
    scales = check_scales(model)
    name = _name(model)
    image = probe_image(image_shape, device=device)
    with torch.no_grad():
        full = called(name, model, image).shape
        for subset in _strict_subsets(scales):
            if called(name, model, image, scales=subset).shape == full:
                raise InputError(
                    f"{name} returns the same shape {tuple(full)} for scales={subset} as for all scales; "
                    "leave out the outputs of the other scales"
                )


def check_scales(model: nn.Module) -> list[Any]:
    """Return the scales of a model from coarse to fine, checked without calling the model.

    Raises
    ------
    LacksAttribute
        (also an AttributeError) if there is no attribute `scales`.
    WrongType
        (also a TypeError) if the model takes no keyword `scales`.
    InputError
        (a ValueError) if there are no scales.
    """
    name = _name(model)
    if not hasattr(model, "scales"):
        raise LacksAttribute(
            f"{name} has no attribute scales; set it to the list of its scales from coarse to fine"
        )
    if not _takes_scales(model):
        raise WrongType(f"{name} takes no keyword scales; write forward(self, image, scales=None)")
    scales = list(model.scales)  # type: ignore[arg-type]
    if not scales:
        raise InputError(f"{name}.scales is empty; list its scales from coarse to fine")
    return scales


def checked_output(model: nn.Module, image: Tensor, *, otherwise: Tensor | None = None) -> Tensor:
    """Return a model's output for an image, after checking that the model can be used for synthesis.

    The model must have no learnable parameters, return a finite tensor with the image's batch first,
    keep precision, device and its own buffers, be differentiable with a gradient that is not 0,
    give the same in two passes (up to 256 ε of its largest output), and treat each image of a batch alone.
    This is `validate_model` without a test image: it takes outputs of two dimensions or more. It costs two
    passes forward and one back, and for a batch one more of its first image.

    Parameters
    ----------
    model
        Any module.
    image
        What it will be run on, shape (b, c, h, w) and real.
    otherwise
        Further images; it is enough if the gradient is finite and not 0 at one of them.

    Returns
    -------
    Tensor
        Detached, with the batch first.

    Raises
    ------
    WrongType
        (also a TypeError) if the model is no module.
    InputError
        A ValueError with one sentence that names the requirement and the remedy.

    Warns
    -----
    UserWarning
        If the model is in training mode and has layers (dropout, batch normalization) that behave
        differently in it; or if its gradient is NaN or infinite at every image.

    Examples
    --------
    >>> checked_output(remove_grad(nn.Conv2d(1, 2, 3)), torch.rand(1, 1, 8, 8)).shape
    torch.Size([1, 2, 6, 6])
    """
    name = _name(model)
    _check_module(name, model)
    passes = two_passes(name, model, image)
    _check_output(name, passes.output, image)
    _warn_of_training(model)
    check_each_alone(model, image, passes.output)
    more = [] if otherwise is None else [otherwise]
    points = chain([passes], (graded(model, images) for images in more))
    flat = InputError(
        f"the output of {name} does not change with any pixel of the image: its gradient is 0 there; "
        "leave out rounding and thresholds, or use another image"
    )
    check_slopes(name, map(slope_of, points), flat)
    return passes.output.detach()


def target_output(model: nn.Module, image: Tensor) -> Tensor:
    """Return a model's output for a target image, in one pass; the model was checked before.

    Parameters
    ----------
    model
        Any module.
    image
        Shape (b, c, h, w). The model may make a smaller batch of it, as mixtures of two textures do.

    Raises
    ------
    InputError
        If the output is not finite, or the batch does not come first.
    """
    output = _passed(model, image)
    _check_output(_name(model), output, image, joins=True)
    return output


def check_each_alone(model: nn.Module, images: Tensor, output: Tensor | None = None) -> None:
    """Check that a model gives the first image of a batch alone what it gives it among the others.

    The outputs may differ by rounding, which depends on the size of a batch: by √ε times the largest value.
    One image needs no check, and no pass.

    Parameters
    ----------
    model
        Any module.
    images
        Shape (b, c, h, w).
    output
        The model's output for them; None to make it.

    Raises
    ------
    InputError
        If the outputs have other shapes, or differ by more than rounding.
    """
    if len(images) == 1:
        return
    among = (_passed(model, images) if output is None else output.detach())[:1]
    alone = _passed(model, images[:1])
    if alone.shape == among.shape:
        size = max(float(x.abs().max()) for x in (alone, among))
        rounding = torch.finfo(among.dtype).eps ** 0.5 * size
        if torch.allclose(alone, among, rtol=0, atol=rounding):
            return
    raise InputError(
        f"{_name(model)} mixes the images of a batch: what it returns for one image depends on the others; "
        "treat each image alone, and give images that belong together as channels"
    )


def _passed(model: nn.Module, image: Tensor) -> Tensor:
    # With gradients, as in every step of synthesis: without, torch takes faster ways that round otherwise.
    with torch.enable_grad(), explained(_name(model), model, image):
        return graded(model, image).output.detach()


def _check_no_class(model: object) -> None:
    if isinstance(model, type) and issubclass(model, nn.Module):
        raise WrongType(f"{model.__name__} is a class; give a model of it, {model.__name__}(…)")


def _check_module(name: str, model: nn.Module) -> None:
    _check_no_class(model)
    if not isinstance(model, nn.Module):
        raise WrongType(
            f"a model must be a torch.nn.Module; {name} is a {type(model).__name__}: make it a forward method"
        )
    if any(parameter.requires_grad for parameter in model.parameters()):
        raise InputError(
            f"{name} has learnable parameters; call stimsynth.remove_grad(model) first"
        )


def _warn_of_training(model: nn.Module) -> None:
    if any(m.training and isinstance(m, _DropoutNd | _NormBase) for m in model.modules()):
        warnings.warn(TRAINING, stacklevel=4)


def _name(model: object) -> str:
    return (
        type(model).__name__ if isinstance(model, nn.Module) else getattr(model, "__name__", "it")
    )


def _takes_scales(model: Callable[..., Any]) -> bool:
    function = model.forward if isinstance(model, nn.Module) else model
    parameters = inspect.signature(function).parameters
    return "scales" in parameters or any(
        p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()
    )


def _strict_subsets(scales: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield each single scale and all scales but one, without repeats and without the full list."""
    if len(scales) > 1:
        yield from ([scale] for scale in scales)
    if len(scales) > 2:
        yield from ([*scales[:i], *scales[i + 1 :]] for i in range(len(scales)))


def _check_output(name: str, output: Tensor, image: Tensor, *, joins: bool = False) -> None:
    """Raise an error for an output that cannot be compared image by image."""
    fits = output.dim() >= 2 and (
        len(output) == len(image) or (joins and 0 < len(output) < len(image))
    )
    fault = None
    if not fits:
        fault = (
            f"it returns shape {tuple(output.shape)} for images {tuple(image.shape)}; "
            "an output has two dimensions or more, and the batch comes first"
        )
    elif output.numel() == 0:
        fault = f"it returns nothing: its output has shape {tuple(output.shape)}"
    elif not bool(torch.isfinite(output.detach().abs()).all()):
        fault = "its output holds NaN or infinite values for this image"
    if fault:
        raise InputError(f"{name} cannot be used for synthesis: {fault}")
