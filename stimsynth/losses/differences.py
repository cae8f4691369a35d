"""Losses of the difference of two outputs, and penalties on one image."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from stimsynth.validate.images import checked_tensor
from stimsynth.validate.inputs import validate_allowed_range
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_number, takes


def mse(synth_rep: Tensor, ref_rep: Tensor, **kwargs: object) -> Tensor:
    r"""Return the mean squared difference of two tensors, a scalar.

    Computes :math:`\frac{1}{n}\sum_i (x_i - \hat{x}_i)^2`; for complex values the squared modulus.

    Parameters
    ----------
    synth_rep, ref_rep
        Outputs of a model for the synthesized and the reference image, real or complex, of the same shape.

    Examples
    --------
    >>> float(mse(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 1.0])))
    2.0
    """
    return _square(output_difference(synth_rep, ref_rep)).mean()


def l2_norm(synth_rep: Tensor, ref_rep: Tensor, **kwargs: object) -> Tensor:
    r"""Return the Euclidean norm of the difference of two tensors, a scalar.

    Computes :math:`\lVert x - \hat{x} \rVert_2`. Its gradient is not defined where the two are equal;
    there it is zero.

    Parameters
    ----------
    synth_rep, ref_rep
        Outputs of a model for the synthesized and the reference image, real or complex, of the same shape.

    Examples
    --------
    >>> float(l2_norm(torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0])))
    5.0
    """
    return torch.linalg.vector_norm(output_difference(synth_rep, ref_rep))


def relative_sse(synth_rep: Tensor, ref_rep: Tensor, **kwargs: object) -> Tensor:
    r"""Return the sum of squared differences divided by the reference's sum of squares, a scalar.

    Computes :math:`\lVert x - \hat{x} \rVert_2^2 / \lVert x \rVert_2^2`, where x is the reference. It is
    not finite for a reference of zeros.

    Parameters
    ----------
    synth_rep, ref_rep
        Outputs of a model for the synthesized and the reference image, real or complex, of the same shape.

    Examples
    --------
    >>> float(relative_sse(torch.tensor([1.0, 1.0]), torch.tensor([2.0, 2.0])))
    0.25
    """
    return _square(output_difference(synth_rep, ref_rep)).sum() / _square(ref_rep).sum()


@takes(sharpness=a_number)
def channel_logsumexp(sharpness: float = 1.0) -> Callable[..., Tensor]:
    r"""Return a loss that is a smooth maximum of the channels' distances.

    Computes :math:`\frac{1}{s} \log \frac{1}{C} \sum_c \exp(s\, \lVert x_c - \hat{x}_c \rVert_2)` over the
    C channels of outputs (batch, channel, …). It goes from the channels' mean distance for small s to their
    largest distance for large s. It is 0 for equal outputs.

    Parameters
    ----------
    sharpness
        s, positive, in units of 1/distance.

    Raises
    ------
    InputError
        If `sharpness` is not positive.

    Examples
    --------
    >>> far, near = torch.tensor([[[3.0, 4.0], [0.0, 1.0]]]), torch.zeros(1, 2, 2)
    >>> [round(float(channel_logsumexp(s)(far, near)), 2) for s in (0.001, 1000.0)]
    [3.0, 5.0]
    """
    if not sharpness > 0:
        raise InputError(f"sharpness must be positive; not {sharpness}")

    def channel_distance(synth_rep: Tensor, ref_rep: Tensor, **kwargs: object) -> Tensor:
        difference = output_difference(synth_rep, ref_rep).transpose(0, 1).flatten(1)
        distances = torch.linalg.vector_norm(difference, dim=1)
        mean = torch.logsumexp(sharpness * distances, dim=0) - math.log(len(distances))
        return mean / sharpness

    return channel_distance


relative_MSE = relative_sse  # the common name, although it is not a mean


def penalize_range(
    synth_img: Tensor, allowed_range: tuple[float, float] = (0.0, 1.0), **kwargs: object
) -> Tensor:
    r"""Return the summed squared distance of values to the allowed range, a scalar.

    Computes :math:`\sum_{x<lo} (x - lo)^2 + \sum_{x>hi} (x - hi)^2`, zero inside.

    Parameters
    ----------
    synth_img
        Real, any shape.
    allowed_range
        (low, high).

    Examples
    --------
    >>> float(penalize_range(torch.tensor([-0.5, 0.5, 2.0])))
    1.25
    """
    checked_tensor(synth_img, "penalize_range", "(…)")
    low, high = validate_allowed_range(allowed_range)
    return ((low - synth_img).clamp_min(0) ** 2 + (synth_img - high).clamp_min(0) ** 2).sum()


def penalize_roughness(synth_img: Tensor, **kwargs: object) -> Tensor:
    """Return the mean squared difference of pixels to their neighbours on the right and below, a scalar.

    Parameters
    ----------
    synth_img
        Real, (…, height, width).

    Examples
    --------
    >>> float(penalize_roughness(torch.tensor([[0.0, 1.0], [0.0, 1.0]])))
    0.5
    """
    checked_tensor(synth_img, "penalize_roughness", "(…, height, width)")
    steps = [synth_img.diff(dim=dim).flatten() for dim in (-2, -1)]
    squares = torch.cat(steps).square()
    return squares.sum() / max(len(squares), 1)


def output_difference(synth_rep: Tensor, ref_rep: Tensor) -> Tensor:
    """Return the difference of two outputs, after checking that both are tensors of numbers."""
    for output in (synth_rep, ref_rep):
        checked_tensor(output, "a loss", "(…)", kind="any")
    try:
        return synth_rep - ref_rep
    except RuntimeError as error:
        raise InputError(
            f"a loss compares outputs of one shape; not {tuple(synth_rep.shape)} and {tuple(ref_rep.shape)}"
        ) from error


def _square(x: Tensor) -> Tensor:
    """Return squared moduli of real or complex values."""
    return x.real**2 + x.imag**2 if x.is_complex() else x**2
