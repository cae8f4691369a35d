"""Steering: interpolate rotated copies of a function, or responses of filters, to any other angle.

W. T. Freeman & E. H. Adelson (1991), "The design and use of steerable filters", IEEE Trans. Pattern
Analysis and Machine Intelligence 13(9), 891–906.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stimsynth.validate.gates import some_numbers
from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_yes_or_no
from stimuli_store.tools.whole import whole, wholes


def steer(
    basis: Tensor,
    angle: float | Sequence[float] | np.ndarray | Tensor,
    harmonics: Sequence[int] | np.ndarray | None = None,
    steermtx: Tensor | np.ndarray | None = None,
    return_weights: bool = False,
    even_phase: bool = True,
) -> Any:
    """Return a steerable basis of functions or responses, steered to other angles.

    Parameters
    ----------
    basis
        Shape (…, N): N rotated copies of a function, or responses of N filters, at the angles π·n/N.
    angle
        Angles in radians: one number; a list (k,) of angles, to each of which the whole basis is steered;
        or one angle per position, shape (…, 1) with as many dimensions as `basis`.
    harmonics
        Angular harmonics of the functions; None for the lowest odd or even ones that make N functions, as
        for directional derivatives.
    steermtx
        Matrix (N, N) from the basis to the harmonics (cos₀ cos₁ sin₁ cos₂ sin₂ …), for a basis at other
        angles; None to compute it.
    return_weights
        Whether to return the weights too.
    even_phase
        Whether the functions are even about their angles. For odd functions, sin h(φₙ − θ), the result
        is their even partner, cos h(φ − θ).

    Returns
    -------
    steered
        Shape (…, 1), or (…, k) for a list of angles.
    weights
        Only with `return_weights`. Shape (N,) for one angle, (k, N) for a list, (…, N) for one angle per
        position.

    Raises
    ------
    InputError
        If basis, angles and harmonics do not fit together.

    Examples
    --------
    >>> basis = torch.tensor([[1.0, 0.0]])  # derivatives along x and along y
    >>> steer(basis, torch.pi / 3).round(decimals=4).tolist()
    [[0.5]]
    """
    checked_tensor(basis, "steer", "(…, number of functions)", kind="any")
    angles = _angles(angle)
    everywhere = angles.dim() <= 1
    if not everywhere and (angles.dim() != basis.dim() or angles.shape[-1] != 1):
        raise InputError(
            f"angle must be one number, a list, or one number per position of a basis "
            f"{tuple(basis.shape)} with a last dimension of 1; not {tuple(angles.shape)}"
        )
    weights = steering_weights(
        angles if everywhere else angles.squeeze(-1),
        basis.shape[-1],
        harmonics,
        steermtx,
        even_phase=even_phase,
    ).to(basis)
    if everywhere:
        steered = basis @ weights.reshape(-1, basis.shape[-1]).T
    else:
        steered = (basis * weights).sum(dim=-1, keepdim=True)
    return (steered, weights) if a_yes_or_no(return_weights, "return_weights") else steered


def steering_weights(
    angles: float | Sequence[float] | np.ndarray | Tensor,
    n_basis: int,
    harmonics: Sequence[int] | np.ndarray | None = None,
    steermtx: Tensor | np.ndarray | None = None,
    *,
    even_phase: bool = True,
) -> Tensor:
    """Return the weights of the functions of a steerable basis for given angles.

    At an angle of the basis itself, the weight of its function is 1 and the others are 0.

    Parameters
    ----------
    angles
        Radians, any shape. Differentiable, if a tensor.
    n_basis
        Number N of functions in the basis.
    harmonics, steermtx, even_phase
        As for `steer`.

    Returns
    -------
    Tensor
        Shape (…, N), where … is the shape of `angles`. Of the type of `angles` if it is floating-point,
        else float64.

    Raises
    ------
    InputError
        If the harmonics do not fit N functions, or `steermtx` has another shape.

    Examples
    --------
    >>> steering_weights([0.0, torch.pi / 2], 2).round(decimals=6).abs().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    at = _angles(angles)
    n_basis = whole(n_basis, "n_basis", 1)
    orders = _orders(n_basis, harmonics)
    computed = harmonic_matrix(orders, even_phase=even_phase) if steermtx is None else steermtx
    matrix = some_numbers(computed, "steermtx", dtype=torch.float64)
    if matrix.shape != (n_basis, n_basis):
        raise InputError(
            f"steermtx must be a matrix of {n_basis}x{n_basis} for {n_basis} functions; not "
            f"{tuple(matrix.shape)}"
        )
    columns = [f(order * at) for order in orders for f in _parts(order)]
    return torch.stack(columns, dim=-1) @ matrix.to(at)


def harmonic_matrix(
    harmonics: Sequence[int],
    angles: Sequence[float] | None = None,
    *,
    even_phase: bool = True,
) -> Tensor:
    """Return the matrix from a steerable basis to its angular harmonics.

    Parameters
    ----------
    harmonics
        Harmonic numbers, each once.
    angles
        Angles of the basis in radians; None for π·n/N.
    even_phase
        Whether the functions are even about their angles.

    Returns
    -------
    Tensor
        Shape (N, N), float64: rows are cos₀ cos₁ sin₁ cos₂ sin₂ … in the order of `harmonics`.

    Raises
    ------
    InputError
        If functions at these angles do not determine the harmonics.

    Examples
    --------
    >>> harmonic_matrix([1]).round(decimals=6).abs().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    harmonics, even_phase = wholes(harmonics, "harmonics", 0), a_yes_or_no(even_phase, "even_phase")
    if not harmonics:
        raise InputError("harmonics is empty; give one harmonic number or more")
    count = sum(len(_parts(order)) for order in harmonics)
    at = torch.arange(count, dtype=torch.float64) * (torch.pi / max(count, 1))
    if angles is not None:
        at = some_numbers(angles, "angles", dtype=torch.float64).reshape(-1)
    columns = []
    for order in harmonics:
        parts = [f(order * at) for f in _parts(order)]
        if not even_phase and order != 0:  # a sine lags a cosine by a quarter of a turn
            cosine, sine = parts
            parts = [sine, -cosine]
        columns += parts
    sampled = torch.stack(columns, dim=-1)
    if sampled.shape[0] != count or int(torch.linalg.matrix_rank(sampled)) < count:
        raise InputError(
            f"{len(at)} functions at these angles do not determine the harmonics {list(harmonics)}; "
            "give as many different angles as components, or other harmonics"
        )
    return torch.linalg.inv(sampled)


def _angles(angle: float | Sequence[float] | np.ndarray | Tensor) -> Tensor:
    """Return angles as a floating-point tensor, in float64 unless they are one already."""
    if isinstance(angle, Tensor) and angle.is_floating_point():
        return angle
    return some_numbers(angle, "angle", dtype=torch.float64)


def _orders(n_basis: int, harmonics: Sequence[int] | np.ndarray | None) -> list[int]:
    """Return the harmonics of a basis of `n_basis` functions: the given ones, checked, or the default."""
    if harmonics is None:
        return list(range(1 - n_basis % 2, n_basis, 2))
    orders = list(wholes(np.ravel(harmonics), "harmonics", 0))
    if sum(len(_parts(order)) for order in orders) != n_basis:
        raise InputError(
            f"each harmonic needs two functions, and 0 needs one: the harmonics {orders} do not fit a "
            f"basis of {n_basis} functions"
        )
    return orders


def _parts(order: int) -> tuple[Any, ...]:
    """Return the functions of a harmonic: cosine for 0, else cosine and sine."""
    return (torch.cos,) if order == 0 else (torch.cos, torch.sin)
