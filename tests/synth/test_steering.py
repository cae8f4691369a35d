"""Steering: known functions turned to new angles, one by one and many at once."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from stimsynth.transforms.pyramids.steering import harmonic_matrix, steer, steering_weights
from stimuli_store.errors import InputError
from tests.synth.signals import close, few, signal


def copies(n: int, theta: Tensor, harmonics: list[int], even: bool = True) -> Tensor:
    """Rotated copies of a function with random harmonics, at the directions theta: (len(theta), n)."""
    strengths = torch.linspace(1, 2, len(harmonics)).double()
    wave = torch.cos if even else torch.sin
    turned = theta[:, None] - torch.pi * torch.arange(n).double() / n
    parts = [s * wave(h * turned) for s, h in zip(strengths, harmonics, strict=True)]
    return torch.stack(parts).sum(dim=0)


BASES = [
    (1, None),
    (2, None),
    (3, None),
    (4, None),
    (5, None),
    (4, [1, 3]),
    (3, [0, 2]),
    (5, [0, 2, 4]),
]


@pytest.mark.parametrize(("n", "harmonics"), BASES)
def test_a_weight_at_its_own_angle_is_one(n: int, harmonics: list[int] | None) -> None:
    angles = torch.pi * torch.arange(n).double() / n
    close(steering_weights(angles, n, harmonics), torch.eye(n).double())


@few
@given(st.sampled_from(BASES), st.floats(-7, 7))
def test_steering_turns_the_function(base: tuple[int, list[int] | None], angle: float) -> None:
    """The steered basis is the function itself, turned to the new angle."""
    n, harmonics = base
    orders = harmonics or list(range(1 - n % 2, n, 2))
    theta = torch.linspace(0, 6, 11).double()
    found, weights = steer(copies(n, theta, orders), angle, harmonics, return_weights=True)
    assert weights.shape == (n,)
    close(found, copies(n, theta - angle, orders)[:, :1], 1e-11)


def test_many_angles_in_one_call_are_many_calls() -> None:
    basis = signal(2, 6, 4)
    angles = signal(6)
    listed, weights = steer(basis, angles, return_weights=True)
    alone = [steer(basis, angle.item(), return_weights=True) for angle in angles]
    close(listed, torch.cat([found for found, _ in alone], dim=-1))
    close(weights, torch.stack([w for _, w in alone]))
    each, weights = steer(basis[0], angles[:, None], return_weights=True)
    close(each, torch.stack([alone[i][0][0, i] for i in range(6)]))
    close(weights, torch.stack([w for _, w in alone]))
    numpy_too = steer(basis[0], angles[:, None].numpy())
    close(numpy_too, each)


def test_an_odd_basis_steers_to_its_even_partner() -> None:
    theta = torch.linspace(0, 6, 13).double()
    odd = -copies(4, theta, [1, 3], even=False)  # sin h(angle of the copy - theta)
    close(steer(odd, 0.7, even_phase=False), copies(4, theta - 0.7, [1, 3])[:, :1], 1e-11)


def test_a_basis_at_other_angles_steers_by_its_matrix() -> None:
    at = torch.tensor([0.1, 0.9, 1.5, 2.6]).double()
    theta = torch.linspace(0, 6, 13).double()
    basis = torch.cos(theta[:, None] - at) + 0.5 * torch.cos(3 * (theta[:, None] - at))
    found = steer(basis, 2.0, steermtx=harmonic_matrix([1, 3], at.tolist()))
    close(found[:, 0], torch.cos(theta - 2) + 0.5 * torch.cos(3 * (theta - 2)), 1e-11)


def test_steering_keeps_type_and_has_slopes() -> None:
    assert steer(signal(3, 2).float(), 0.3).dtype == torch.float32
    basis = signal(3, 4).requires_grad_(True)
    angles = signal(3, 1).requires_grad_(True)
    assert torch.autograd.gradcheck(steer, (basis, angles))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda b: steer(b, torch.zeros(6, 2)), "one number per position"),
        (lambda b: steer(b, 0.0, harmonics=[1]), "do not fit a basis of 4"),
        (lambda b: steer(b, 0.0, steermtx=torch.eye(3)), "matrix of 4x4"),
        (lambda b: steer(b, 0.0, harmonics=[1, 1]), "do not determine the harmonics"),
    ],
)
def test_steering_that_cannot_be_gets_a_sentence(
    call: Callable[[Tensor], Tensor], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        call(signal(6, 4))
