"""Checks of the arguments of `Eigendistortion`, and verdicts on its results."""

import math
import warnings
from dataclasses import replace

import torch

from stimsynth.engine.eigen.lanczos import Search
from stimsynth.engine.run import Status
from stimsynth.methods.base.quality import FAULTLESS, Quality, judge
from stimsynth.methods.eigen.solvers import EigenSolution
from stimsynth.numerics.numbers import real_number
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.whole import whole

METHODS = ("lanczos", "exact", "power", "randomized_svd")
_MANY_ELEMENTS = 1e6


def check_request(
    method: str, n: int, k: int, max_iter: int, p: int, q: int
) -> tuple[int, int, int, int]:
    """Return k, max_iter, p and q as plain ints, if an image with `n` values allows them.

    Raises
    ------
    InputError
        If an argument is invalid.
    """
    if not isinstance(method, str) or method not in METHODS:
        raise unknown_name("method of Eigendistortion", str(method), list(METHODS))
    k = whole(k, "k", 1)
    ends = 2 if method in ("lanczos", "power") else 1
    if k * ends > n:
        raise InputError(
            f"k must be at most {n // ends} for an image of {n} pixels, which has {n} eigenvectors; not {k}"
        )
    return k, whole(max_iter, "max_iter", 1), whole(p, "p", 0), whole(q, "q", 0)


def check_search(search: Search) -> Search:
    """Return a search with checked tolerances and its basis size as a plain int.

    Raises
    ------
    InputError
        If a number is invalid.
    """
    size = search.basis_size
    return replace(
        search,
        change=real_number(search.change, "stop_criterion", 0, infinite=True),
        tolerance=real_number(search.tolerance, "residual_tolerance", 0, infinite=True),
        basis_size=None if size is None else whole(size, "basis_size, if not None,", 1),
    )


def warn_of_size(n: int, m: int) -> None:
    """Warn that a Jacobian from n to m values may not fit into memory, if it is large."""
    if n * m > _MANY_ELEMENTS:
        size = n * (m + 2 * n) * 8 / 2**20
        warnings.warn(
            f"the Jacobian has {m} x {n} elements, more than a million, and may not fit into memory (with "
            f"the Fisher matrix and its vectors about {size:.0f} MiB); method='lanczos' needs much less",
            stacklevel=4,
        )


def judged(found: EigenSolution, tolerance: float) -> Quality:
    """Return the verdict on the eigendistortions of one image; residuals up to `tolerance` are good."""
    pairs, spaces, status = found.pairs, found.spaces, found.outcome
    bounds = pairs.error_bounds / pairs.values[0].clamp_min(torch.finfo(torch.float64).tiny)
    both = "bottom" in spaces
    figures = {
        "largest residual": pairs.worst(),
        "top, error": float(bounds[0]),
        "bottom, error": float(bounds[-1]) if both else math.nan,
        "top, dimensions": float(spaces["top"].at_least),
        "bottom, dimensions": float(spaces["bottom"].at_least) if both else math.nan,
    }
    met = status is Status.OUT_OF_STEPS and pairs.worst() <= tolerance
    findings = {
        "the model's output does not change with the image": (float(pairs.values[0]) == 0),
        f"{status.value}; use float64": status is Status.PRECISE,
        f"{status.value}; use method='lanczos', or a larger max_iter": not (
            met or status.finished or status is Status.INTERRUPTED
        ),
    }
    early = "every residual is within the tolerance; a larger max_iter could show that no vector was missed"
    return judge(findings, figures, status, praise=early if met else FAULTLESS)


def not_finite(item: int) -> InputError:
    """Return the error for an image at which the model cannot be differentiated."""
    return InputError(
        f"the model's Jacobian is NaN or infinite at image {item} of the batch; check the model's gradient "
        "there (square roots and logarithms of 0 are the usual cause)"
    )
