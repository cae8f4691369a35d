"""Models with outputs scaled to similar magnitudes, so that a loss weighs all of them."""

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from stimsynth.numerics.generators import generator_for
from stimsynth.numerics.linearized import Linearized
from stimsynth.seeding import checked_seed
from stimsynth.validate import checked_output
from stimsynth.validate.images import MODEL_FIRST, checked_tensor, kept_image
from stimsynth.validate.models import target_output
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_not_negative, a_number, takes
from stimuli_store.tools.whole import whole


class Balanced(nn.Module):
    """A model with each output shifted and divided by constants.

    A model that can be called with scales, for coarse-to-fine synthesis, can still be called so.

    Parameters
    ----------
    model
        Any model.
    shift, scale
        Constants shaped like its output for one image, with a batch of 1; `scale` is positive.

    Examples
    --------
    >>> image = torch.full((1, 1, 2, 2), 0.25)
    >>> model = Balanced(nn.Identity(), shift=image, scale=torch.full_like(image, 2.0))
    >>> model(image + 1).flatten().tolist()
    [0.5, 0.5, 0.5, 0.5]
    """

    def __init__(self, model: nn.Module, shift: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.model = model
        for name, constant in (("shift", shift), ("scale", scale)):
            kept = checked_tensor(constant, f"{name} of Balanced", "(…)", kind="any")
            self.register_buffer(name, kept.detach().clone())
        if hasattr(model, "scales"):
            self.scales = model.scales

    shift: Tensor
    scale: Tensor

    def forward(self, image: Tensor, scales: Sequence[Any] | None = None) -> Tensor:
        """Return (model(image) - shift) / scale, for some scales only if `scales` is given."""
        shift, scale = self.shift, self.scale
        if scales is None:
            output = self.model(image)
        else:
            shift, scale = (self.remove_scales(constant, scales) for constant in (shift, scale))
            output = self.model(image, scales=scales)
        if output.dim() < shift.dim():  # of one image without a batch
            shift, scale = shift.squeeze(0), scale.squeeze(0)
        return (output - shift) / scale

    def remove_scales(
        self, representation_tensor: Tensor, scales_to_keep: Collection[Any]
    ) -> Tensor:
        """Return a representation without the values of scales not in `scales_to_keep`, as the model does."""
        remove = getattr(self.model, "remove_scales", None)
        if remove is None:
            raise InputError(
                f"{type(self.model).__name__} has no method remove_scales, which selects the outputs of "
                "some scales; write one, or use the balanced model without scales"
            )
        return remove(representation_tensor, scales_to_keep)


@takes(floor=a_number)
def balanced_over_images(model: nn.Module, images: Tensor, *, floor: float = 1e-2) -> Balanced:
    """Return a model with each output z-scored over a set of images.

    Outputs that vary little among natural images then have the same weight as outputs that vary a lot.

    Parameters
    ----------
    model
        Any model without learnable parameters.
    images
        The set, shape (batch, channel, height, width), with two images or more.
    floor
        Standard deviations are raised to at least this fraction of their root mean square, so that
        outputs that hardly vary are not amplified.

    Raises
    ------
    InputError
        If there are fewer than two images, or the model does not take them.

    References
    ----------
    C. M. Ziemba & E. P. Simoncelli (2021), "Opposing effects of selectivity and invariance in peripheral
    vision", Nature Communications 12, 4597.

    Examples
    --------
    >>> images = torch.rand(5, 1, 8, 8)
    >>> scores = balanced_over_images(nn.AvgPool2d(4), images)(images)
    >>> bool(scores.mean(0).abs().max() < 1e-5), bool(torch.allclose(scores.std(0), torch.ones(1, 2, 2)))
    (True, True)
    """
    images = kept_image(images, "a set of images", complex_too=True, order=MODEL_FIRST)
    if len(images) < 2:
        raise InputError(
            f"a z-score needs two images or more, not {len(images)}; for one image use balanced_by_target"
        )
    first = checked_output(model, images[:1], otherwise=torch.full_like(images[:1], 0.5))
    outputs = [first, *(target_output(model, image[None]) for image in images[1:])]
    mean = sum(output.to(_wide(output)) for output in outputs) / len(outputs)
    square = sum((output.to(_wide(output)) - mean).abs() ** 2 for output in outputs)
    spread = (torch.as_tensor(square) / (len(outputs) - 1)).sqrt()
    like = outputs[0]
    return Balanced(
        model, torch.as_tensor(mean).to(like.dtype), _floored(spread, floor).to(like.real.dtype)
    )


@takes(floor=a_number)
def balanced_by_target(model: nn.Module, target: Tensor, *, floor: float = 0.1) -> Balanced:
    """Return a model with each output divided by its magnitude for one image, the target of synthesis.

    A mean squared error is then an error of relative differences. Divisors are constants and do not depend
    on the synthesized image, which would make the optimization hard.

    Parameters
    ----------
    model
        Any model without learnable parameters.
    target
        Shape (1, channel, height, width).
    floor
        Magnitudes are raised to at least this fraction of their root mean square, so that outputs close
        to zero are not amplified.

    Raises
    ------
    InputError
        If there is more than one image, or the model does not take it.

    Examples
    --------
    >>> image = torch.rand(1, 1, 8, 8) + 0.5
    >>> bool(torch.allclose(balanced_by_target(nn.Identity(), image)(image), torch.ones(1)))
    True
    """
    target = kept_image(target, "a target", one=True, complex_too=True, order=MODEL_FIRST)
    output = checked_output(model, target, otherwise=torch.full_like(target, 0.5))
    return Balanced(model, torch.zeros_like(output), _floored(output.abs(), floor))


@takes(power=a_not_negative, floor=a_number)
def balanced_by_sensitivity(
    model: nn.Module,
    target: Tensor,
    *,
    power: float = 0.75,
    n_probes: int = 8,
    floor: float = 1e-3,
    seed: int = 0,
) -> Balanced:
    """Return a model with each output divided by a power of its sensitivity to pixels at one image.

    The sensitivity is the root mean square of ∂output/∂pixel. Without balancing, sensitive outputs such as a
    kurtosis dominate the squared error, and insensitive ones such as the mean luminance are matched last.
    With it, the statistics of a texture are matched in a fraction of the steps; the metamers are the same,
    because the error is zero for the same images.

    Parameters
    ----------
    model
        Any model without learnable parameters.
    target
        Shape (1, channel, height, width).
    power
        Exponent of the divisor: 1 divides by the estimated sensitivity, 0 does nothing. For texture
        statistics values between 0.5 and 1 help most.
    n_probes
        Number of random changes of the image from which the sensitivity is estimated.
    floor
        Sensitivities are raised to at least this fraction of their root mean square.
    seed
        Seed of the random changes.

    Raises
    ------
    InputError
        If there is more than one image, the model does not take it, n_probes is not 1 or more, power is
        not 0 or more, or an output's derivative is NaN or infinite at this image.

    Examples
    --------
    >>> model = nn.Module()
    >>> model.forward = lambda image: torch.cat([image, 100 * image], dim=1)
    >>> even = balanced_by_sensitivity(model, torch.rand(1, 1, 8, 8), power=1.0, n_probes=2000)
    >>> (even.scale[:, 1] / even.scale[:, 0]).mean().round()
    tensor(100.)
    """
    target = kept_image(target, "a target", one=True, order=MODEL_FIRST)
    n_probes = whole(n_probes, "n_probes", 1)
    output = checked_output(model, target, otherwise=torch.full_like(target, 0.5))
    jacobian = Linearized(model, target)
    generator = generator_for("balance", checked_seed(seed))
    probes = torch.randn(n_probes, jacobian.size_in, generator=generator, dtype=torch.float64)
    moved = torch.cat([jacobian.push(probe[None].to(target), [0]) for probe in probes])
    sensitivity = moved.double().square().mean(dim=0)
    if not bool(torch.isfinite(sensitivity).all()):
        # An infinite divisor would make every output 0, and every image a metamer.
        raise InputError(
            "an output's derivative is NaN or infinite at this image (the usual causes are square roots and "
            "logarithms of 0); give another image, or use balanced_by_target"
        )
    if output.is_complex():
        sensitivity = sensitivity.view(-1, 2).sum(dim=1)
    scale = _floored(sensitivity.sqrt().view_as(output.real), floor) ** power
    return Balanced(model, torch.zeros_like(output), scale.to(output.real.dtype))


def _wide(output: Tensor) -> torch.dtype:
    return torch.complex128 if output.is_complex() else torch.float64


def _floored(magnitude: Tensor, floor: float) -> Tensor:
    """Return magnitudes raised to at least `floor` times their root mean square; ones if all are zero."""
    if not floor > 0:
        raise InputError(f"floor must be a positive fraction of the root mean square; not {floor}")
    least = floor * magnitude.square().mean().sqrt()
    return magnitude.clamp_min(float(least)) if least > 0 else torch.ones_like(magnitude)
