"""Signals and strategies that tests of the transforms share."""

import torch
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor

few = settings(max_examples=25)
sides = st.integers(1, 9)
seeds = st.integers(0, 2**31)


def signal(*shape: int, seed: int = 0, complex_valued: bool = False) -> Tensor:
    """Return normal noise in float64 or complex128."""
    generator = torch.Generator().manual_seed(seed)
    dtype = torch.complex128 if complex_valued else torch.float64
    return torch.randn(shape, generator=generator, dtype=dtype)


def close(found: Tensor, expected: Tensor, atol: float = 1e-12) -> None:
    """Check that two tensors of one type agree to an absolute tolerance."""
    torch.testing.assert_close(found, expected, rtol=0, atol=atol)
