"""The softplus, with the same bits for a value wherever in a tensor it stands."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from stimsynth.numerics.custom_gradients import CustomGradient, forward_over_forward


def softplus(x: Tensor) -> Tensor:
    r"""Return :math:`\log(1 + e^x)`.

    What `torch.nn.functional.softplus` computes of the last few values of a tensor differs from what it
    computes of all others in the last bits, so that an image would depend on which others come with it. A
    single exponential or logarithm does not.

    Examples
    --------
    >>> values = torch.linspace(-3, 3, 33)
    >>> torch.equal(softplus(values)[5:12], softplus(values[5:12]))
    True
    """
    # Inside forward mode inside forward mode what is written out counts for constant.
    if torch.compiler.is_compiling() or forward_over_forward():
        return F.softplus(x)
    return _Softplus.apply(x)


class _Softplus(CustomGradient):
    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.abs().neg_().exp_().log1p_().add_(x.clamp_min(0))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * _Logistic.apply(ctx.saved_tensors[0])

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:
        return tangent * _Logistic.apply(ctx.saved_tensors[0])


class _Logistic(CustomGradient):
    """Logistic function 1 / (1 + exp(-x)), the derivative of the softplus."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.neg().exp_().add_(1).reciprocal_()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (slope,) = ctx.saved_tensors
        return grad * (slope - slope * slope)

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:
        (slope,) = ctx.saved_tensors
        return tangent * (slope - slope * slope)
