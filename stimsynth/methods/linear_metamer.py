"""Metamers of linear measurements by linear algebra, without an optimizer."""

import torch
from torch import Tensor

from stimsynth.validate.images import kept_image
from stimuli_store.errors import InputError


def linear_metamer(
    measurements: Tensor,
    target: Tensor,
    start: Tensor | None = None,
    *,
    primaries: Tensor | None = None,
) -> Tensor:
    r"""Return a signal with the same linear measurements as the target.

    Without primaries it is the signal with these measurements nearest to the start,
    :math:`s + M^{+} M (x - s)`. It has the start's component in the null space of M, which is not measured,
    and the target's component orthogonal to it. With primaries P it is their mixture :math:`P w` with
    :math:`M P w = M x`, as in a colour-matching experiment.

    Parameters
    ----------
    measurements
        Matrix M (m, n), one row for each measurement (the sensitivity of a cone class, a pooling window).
    target
        Signals x, shape (…, n).
    start
        Signals s near which the result lies, shape (…, n); None for zeros. Not allowed with `primaries`.
    primaries
        Matrix P (n, p), one column for each primary. Weights can be negative: then the light is added to
        the other side of the match.

    Returns
    -------
    Tensor
        Shape (…, n).

    Raises
    ------
    InputError
        If shapes do not fit, both `start` and `primaries` are given, or no mixture of the primaries
        gives the target's measurements.

    References
    ----------
    B. A. Wandell (1995), Foundations of Vision, chapter 4, for colour matching as linear algebra.

    Examples
    --------
    >>> total = torch.ones(1, 3)  # only the sum is measured
    >>> linear_metamer(total, torch.tensor([3.0, 0.0, 0.0])).round(decimals=6).tolist()
    [1.0, 1.0, 1.0]
    """
    measurements, target = (
        kept_image(given, what, any_dims=True)
        for given, what in ((measurements, "measurements"), (target, "a target"))
    )
    start, primaries = (
        None if given is None else kept_image(given, what, any_dims=True)
        for given, what in ((start, "a start"), (primaries, "primaries"))
    )
    _check(measurements, target, start, primaries)
    exact = measurements.double()
    wanted = target.double() @ exact.T
    if primaries is None:
        near = torch.zeros_like(target) if start is None else start
        missing = wanted - near.double() @ exact.T
        return (near.double() + missing @ torch.linalg.pinv(exact).T).to(target.dtype)
    mixed = exact @ primaries.double()
    weights = wanted @ torch.linalg.pinv(mixed).T
    reached = weights @ mixed.T
    if not torch.allclose(reached, wanted, rtol=1e-8, atol=1e-10 * float(wanted.abs().max())):
        raise InputError(
            f"no mixture of these {primaries.shape[1]} primaries gives the target's "
            f"{len(measurements)} measurements; take as many primaries as there are "
            "measurements, with linearly independent measurements"
        )
    return (weights @ primaries.double().T).to(target.dtype)


def _check(
    measurements: Tensor, target: Tensor, start: Tensor | None, primaries: Tensor | None
) -> None:
    if start is not None and primaries is not None:
        raise InputError("start and primaries exclude each other; give one of them, or none")
    if measurements.dim() != 2 or target.dim() < 1 or target.shape[-1] != measurements.shape[1]:
        raise InputError(
            f"measurements must have shape (m, n) and signals (…, n); not {tuple(measurements.shape)} and "
            f"{tuple(target.shape)}"
        )
    if start is not None and start.shape != target.shape:
        raise InputError(
            f"start and target must have the same shape; not {tuple(start.shape)} and "
            f"{tuple(target.shape)}"
        )
    if primaries is not None and primaries.shape[:1] != measurements.shape[1:]:
        raise InputError(
            f"primaries must have shape ({measurements.shape[1]}, p), one column each; not "
            f"{tuple(primaries.shape)}"
        )
