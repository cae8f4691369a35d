r"""Real part, imaginary part and modulus of complex coefficients, and their phase doubled.

Derivatives are finite everywhere: they are 0 where a coefficient is 0, at which the modulus has none.
"""

# Derivatives are written out: they take fewer passes over memory than a chain of elementary operations.

from typing import Any

import torch
from torch import Tensor

from stimsynth.numerics.custom_gradients import CustomGradient, applied

_SMALLEST = 1e-30  # the modulus of 0: divides without overflow in float32


def parts(bands: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""Return the real part, the imaginary part and the modulus of complex values, each contiguous.

    The modulus of 0 is set to 1e-30, so that it can always be a divisor.

    Examples
    --------
    >>> import torch
    >>> parts(torch.tensor([3 + 4j, 0j]))
    (tensor([3., 0.]), tensor([4., 0.]), tensor([5.0000e+00, 1.0000e-30]))
    """
    real, imaginary, length = applied(_Parts)(bands)
    return real, imaginary, length


def double_phase(real: Tensor, imaginary: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return real and imaginary part of :math:`z^2/|z|`, which has the modulus of z and twice its phase.

    Parameters
    ----------
    real, imaginary
        Real and imaginary part of z.
    length
        :math:`|z|`, as returned by `parts`.

    Examples
    --------
    >>> import torch
    >>> double_phase(*parts(torch.tensor([2j])))
    (tensor([-2.]), tensor([0.]))
    """
    doubled_real, doubled_imaginary = applied(_DoublePhase)(real, imaginary, length)
    return doubled_real, doubled_imaginary


class _Parts(CustomGradient):
    generate_vmap_rule = False  # torch has none for what is done in place

    @staticmethod
    def vmap(
        _: Any, in_dims: tuple[int], bands: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        return _Parts.apply(bands), in_dims * 3  # value by value: a batch is just more of them

    @staticmethod
    def forward(bands: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # Planes of their own: everything after runs over them many times.
        real, imaginary = bands.real.contiguous(), bands.imag.contiguous()
        # In place: memory that is new to a process takes longer to get than these sums.
        square = (real * real).addcmul_(imaginary, imaginary)
        length = square.sqrt_().clamp_min_(_SMALLEST)
        return real, imaginary, length

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, ...]) -> None:
        ctx.save_for_backward(*output)
        ctx.save_for_forward(*output)

    @staticmethod
    def backward(ctx: Any, to_real: Tensor, to_imaginary: Tensor, to_length: Tensor) -> Tensor:
        real, imaginary, length = ctx.saved_tensors
        weight = to_length / length
        return torch.complex(
            torch.addcmul(to_real, weight, real), torch.addcmul(to_imaginary, weight, imaginary)
        )

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        real, imaginary, length = ctx.saved_tensors
        to_real, to_imaginary = tangent.real.contiguous(), tangent.imag.contiguous()
        return to_real, to_imaginary, (real * to_real + imaginary * to_imaginary) / length


class _DoublePhase(CustomGradient):
    """Doubled phase as a function of a, b and r, with u = a/r and v = b/r: 2 u a - r and 2 u b."""

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
