"""Operations with finite values and gradients where the plain ones have none."""

import torch
from torch import Tensor


def safe_root(square: Tensor) -> Tensor:
    """Return the square root of real values, with gradient 0 where they are 0.

    Values below 0, which only rounding can cause, count as 0; NaN stays NaN.

    Examples
    --------
    >>> x = torch.tensor([4.0, 0.0], requires_grad=True)
    >>> safe_root(x).sum().backward()
    >>> x.grad.tolist()
    [0.25, 0.0]
    """
    none = square <= 0
    return torch.where(none, 0.0, torch.sqrt(torch.where(none, 1.0, square)))


def modulus_and_direction(z: Tensor) -> tuple[Tensor, Tensor]:
    """Return the modulus of complex values and the values divided by it, both 0 with gradient 0 at 0.

    A modulus below the smallest normal number of its type counts as 0: its reciprocal is not finite. NaN
    stays NaN.

    Examples
    --------
    >>> modulus, direction = modulus_and_direction(torch.tensor([4j, 0j]))
    >>> modulus.tolist(), direction.tolist()
    ([4.0, 0.0], [1j, 0j])
    """
    size = z.detach().abs()
    none = size < torch.finfo(size.dtype).tiny
    nonzero = torch.where(none, 1.0, z)
    modulus = nonzero.abs()
    return torch.where(none, 0.0, modulus), torch.where(none, 0.0, nonzero / modulus)


def anywhere(condition: Tensor) -> bool:
    """Return whether a condition holds for any value; False inside vmap, where values are not known.

    Examples
    --------
    >>> anywhere(torch.tensor([1.0, -1.0]) < 0)
    True
    """
    try:
        return bool(condition.any())
    except RuntimeError:
        return False
