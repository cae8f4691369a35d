"""Checks of what users hand in, with errors that say what to change."""

import torch
from torch import Tensor, nn

from stimuli_store.errors import InputError


def remove_grad(model: nn.Module) -> nn.Module:
    """Detach all parameters and buffers of `model`, in place, and return it.

    Synthesis changes the image, never the model; a model that could learn is refused.
    """
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for module in model.modules():
        for name, buffer in list(module.named_buffers(recurse=False)):
            setattr(module, name, buffer.detach())
    return model


def validate_input(
    image: Tensor,
    no_batch: bool = False,
    allowed_range: tuple[float, float] | None = None,
) -> None:
    """Check that `image` is a floating-point tensor of shape (batch, channel, height, width).

    Parameters
    ----------
    image
        What to check.
    no_batch
        Whether the batch must be of size 1.
    allowed_range
        (low, high), inclusive, for its values; None for any.

    Raises
    ------
    InputError
        A ValueError with one sentence on what is wrong.
    """
    if not (image.is_floating_point() or image.is_complex()):
        raise InputError(f"an image is of a floating-point type; this one is {image.dtype}")
    if image.dim() != 4:
        raise InputError(
            "an image has shape (batch, channel, height, width); this one has "
            f"{tuple(image.shape)}: add dimensions with image[None, None]"
        )
    if no_batch and len(image) != 1:
        raise InputError(f"this takes one image at a time (batch of 1); {len(image)} were given")
    if not bool(torch.isfinite(image).all()):
        raise InputError("the image holds NaN or infinite values")
    if allowed_range is not None:
        _check_range(image, allowed_range)


def validate_allowed_range(allowed_range: tuple[float, float]) -> tuple[float, float]:
    """Return (low, high) as floats.

    Raises
    ------
    InputError
        If low is not below high.
    """
    low, high = (float(v) for v in allowed_range)
    if not low < high:
        raise InputError(f"allowed_range is (low, high) with low < high; not {allowed_range!r}")
    return low, high


def validate_model(model: nn.Module, image: Tensor) -> Tensor:
    """Check that `model` can be synthesized from, on the real image, and return its output.

    It must have no learnable parameters, return a finite tensor with the image's batch first, keep
    precision and device, and be differentiable.

    Raises
    ------
    InputError
        A ValueError with one sentence that names the requirement and the remedy.
    """
    name = type(model).__name__
    if any(parameter.requires_grad for parameter in model.parameters()):
        raise InputError(
            f"{name} has parameters that could learn; call stimsynth.remove_grad(model) first"
        )
    probe = image.detach().clone().requires_grad_(True)
    output = model(probe)
    fault = _output_fault(output, image)
    if fault:
        raise InputError(f"{name} cannot be used for synthesis: {fault}")
    return output.detach()


def _output_fault(output: object, image: Tensor) -> str | None:
    if not isinstance(output, Tensor):
        return f"it returns {type(output).__name__}, and a model returns a tensor"
    if not output.requires_grad:
        return "its output does not depend on the image differentiably (is something detached?)"
    if output.dim() < 2 or len(output) != len(image):
        return (
            f"it returns shape {tuple(output.shape)} for images {tuple(image.shape)}; "
            "the batch comes first"
        )
    if output.device != image.device or output.real.dtype != image.real.dtype:
        return f"it turns {image.dtype} on {image.device} into {output.dtype} on {output.device}"
    if not bool(torch.isfinite(output.detach().abs()).all()):
        return "its output holds NaN or infinite values for this image"
    return None


def _check_range(image: Tensor, allowed_range: tuple[float, float]) -> None:
    low, high = allowed_range
    smallest, largest = float(image.min()), float(image.max())
    if smallest < low or largest > high:
        raise InputError(
            f"image values lie in [{smallest:g}, {largest:g}], outside the allowed range "
            f"[{low:g}, {high:g}]; rescale or clamp the image"
        )
