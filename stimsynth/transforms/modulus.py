r"""Modulus and doubled phase of complex bands held as two real tensors.

The derivatives are written out: they are finite everywhere (0 where a coefficient is 0, at which the
modulus has none), and take fewer passes over memory than a chain of elementary operations.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

_SMALLEST = 1e-30  # the modulus of 0: divides without overflow in float32


def modulus(real: Tensor, imaginary: Tensor) -> Tensor:
    r"""Return :math:`\sqrt{a^2 + b^2}`, and 1e-30 for 0, so that it can always divide.

    Examples
    --------
    >>> import torch
    >>> modulus(torch.tensor([3.0, 0.0]), torch.tensor([4.0, 0.0]))
    tensor([5.0000e+00, 1.0000e-30])
    """
    return _Modulus.apply(real, imaginary)


def double_phase(real: Tensor, imaginary: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return real and imaginary part of :math:`z^2/|z|`: the same modulus at twice the angle.

    Parameters
    ----------
    real, imaginary
        The parts of z.
    length
        :math:`|z|`, from `modulus`.

    Examples
    --------
    >>> import torch
    >>> z = torch.tensor([0.0]), torch.tensor([2.0])
    >>> double_phase(*z, modulus(*z))
    (tensor([-2.]), tensor([0.]))
    """
    doubled_real, doubled_imaginary = _DoublePhase.apply(real, imaginary, length)
    return doubled_real, doubled_imaginary


class _Modulus(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(real: Tensor, imaginary: Tensor) -> Tensor:
        return torch.addcmul(real * real, imaginary, imaginary).sqrt_().clamp_min_(_SMALLEST)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs, output)
        ctx.save_for_forward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        real, imaginary, length = ctx.saved_tensors
        weight = grad / length
        return weight * real, weight * imaginary

    @staticmethod
    def jvp(ctx: Any, real_tangent: Tensor, imaginary_tangent: Tensor) -> Tensor:
        real, imaginary, length = ctx.saved_tensors
        change = real * real_tangent + imaginary * imaginary_tangent
        return change / length


class _DoublePhase(Function):
    """With u = a/r and v = b/r: the parts 2 u a - r and 2 u b, as functions of a, b and r."""

    generate_vmap_rule = True

    @staticmethod
    def forward(real: Tensor, imaginary: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        twice = (real / length).mul_(2)
        return (twice * real).sub_(length), twice.mul_(imaginary)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad_real: Tensor, grad_imaginary: Tensor) -> tuple[Tensor, ...]:
        cosine, sine = _unit(*ctx.saved_tensors)
        to_real = 2 * (2 * grad_real * cosine + grad_imaginary * sine)
        to_imaginary = 2 * grad_imaginary * cosine
        to_length = -grad_real - cosine * (to_real - 2 * grad_real * cosine)
        return to_real, to_imaginary, to_length

    @staticmethod
    def jvp(ctx: Any, real: Tensor, imaginary: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        cosine, sine = _unit(*ctx.saved_tensors)
        doubled_real = 4 * cosine * real - (1 + 2 * cosine * cosine) * length
        doubled_imaginary = 2 * (sine * real + cosine * imaginary - cosine * sine * length)
        return doubled_real, doubled_imaginary


def _unit(real: Tensor, imaginary: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
    inverse = length.reciprocal()
    return real * inverse, imaginary * inverse
