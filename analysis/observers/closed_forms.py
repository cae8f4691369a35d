"""Curves of proportion correct against d', each with its slope: functions for d' of 0 or more."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, owens_t

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class LinkCurve:
    """Proportion correct and its derivative as functions of d' ≥ 0, and the formula in words of type.

    `below` is proportion correct, with its derivative, as a function of −d' where d' is negative; None if a
    negative d' gives the same as a positive one. `error` is 0 for a closed form, a bound for an integral, and
    the largest standard error for a table.
    """

    p: Function
    slope: Function
    formula: str
    error: float = 0.0
    below: "LinkCurve | None" = None


def density(x: np.ndarray) -> np.ndarray:
    """Return the density of the standard normal distribution."""
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def mirrored(curve: LinkCurve) -> LinkCurve:
    """Return the curve of an observer who gives the other of two answers."""
    return LinkCurve(
        p=lambda d: 1 - curve.p(d), slope=lambda d: -curve.slope(d), formula=curve.formula
    )


def one_comparison(scale: float, formula: str) -> LinkCurve:
    """Return the curve Φ(d/scale)."""
    return LinkCurve(
        p=lambda d: ndtr(d / scale), slope=lambda d: density(d / scale) / scale, formula=formula
    )


def two_comparisons(first: float, second: float, formula: str) -> LinkCurve:
    """Return the curve Φ(d/first)Φ(d/second) + Φ(−d/first)Φ(−d/second)."""

    def p(d: np.ndarray) -> np.ndarray:
        return ndtr(d / first) * ndtr(d / second) + ndtr(-d / first) * ndtr(-d / second)

    def slope(d: np.ndarray) -> np.ndarray:
        by_first = density(d / first) / first * (ndtr(d / second) - ndtr(-d / second))
        by_second = density(d / second) / second * (ndtr(d / first) - ndtr(-d / first))
        return by_first + by_second

    return LinkCurve(p=p, slope=slope, formula=formula)


def _triangle(d: np.ndarray) -> np.ndarray:
    return 1 - 4 * owens_t(d / np.sqrt(6), np.sqrt(3))


def _triangle_slope(d: np.ndarray) -> np.ndarray:
    return 4 / np.sqrt(6) * density(d / np.sqrt(6)) * (ndtr(d / np.sqrt(2)) - 0.5)


TRIANGLE = LinkCurve(
    p=_triangle, slope=_triangle_slope, formula="P = 1 − 4·T(d/√6, √3), T Owen's function"
)


def same_different_criterion(d: np.ndarray) -> np.ndarray:
    """Return the criterion on |x₁ − x₂| with the fewest errors, if half of the trials differ by d'."""
    d = np.maximum(d, 1e-6)
    u = d**2 / 4  # arccosh(exp(u)), written without overflow
    return (u + np.log1p(np.sqrt(-np.expm1(-2 * u)))) * 2 / d


def _unbiased(d: np.ndarray) -> np.ndarray:
    k, root = same_different_criterion(d), np.sqrt(2)
    return 0.5 * (1 + ndtr((d - k) / root) + ndtr((-d - k) / root) - 2 * ndtr(-k / root))


def _unbiased_slope(d: np.ndarray) -> np.ndarray:
    k, root = (
        same_different_criterion(d),
        np.sqrt(2),
    )  # the criterion is the best one: no slope along it
    return (density((d - k) / root) - density((d + k) / root)) / (2 * root)


SAME_OR_DIFFERENT = LinkCurve(
    p=_unbiased,
    slope=_unbiased_slope,
    formula="P = (1 + H − F)/2, H = Φ((d − k)/√2) + Φ((−d − k)/√2), F = 2Φ(−k/√2), with the best k",
)
