"""Prior densities of parameters: flat, normal, split normal, beta and half-Cauchy.

A prior is any record with `terms` and `draw`; those here are the ones that fits name. Densities are
up to a constant.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import a_number, a_positive, check_fields

_TINY = 1e-12
_Terms = tuple[np.ndarray, np.ndarray, np.ndarray]


class Prior(Protocol):
    """Density of one parameter."""

    def terms(self, x: np.ndarray) -> _Terms:
        """Return the log density at `x`, its first and its second derivative (each of the same shape)."""
        ...

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Return random values (size,)."""
        ...


@dataclass(frozen=True, kw_only=True)
class FlatPrior:
    """Constant density; fits with flat priors are maximum-likelihood fits.

    Examples
    --------
    >>> from analysis import fit_psychometric
    >>> fit = fit_psychometric([1, 2, 4], [20, 30, 39], [40] * 3, priors={"lapse": FlatPrior()})
    >>> fit.threshold > 0
    True
    """

    def terms(self, x: np.ndarray) -> _Terms:
        """Return three arrays of zeros."""
        return np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Raise InputError, because a flat density has no bounds."""
        raise InputError("nothing can be drawn from a flat prior; give a normal or a beta prior")


@dataclass(frozen=True, kw_only=True)
class NormalPrior:
    """Normal density of a parameter that may have either sign.

    Attributes
    ----------
    mean, sd
        Mean and standard deviation (above 0) on the parameter's scale, which `fit_psychometric` names.

    Examples
    --------
    >>> value, first, second = NormalPrior(mean=1.0, sd=2.0).terms(np.array([3.0]))
    >>> float(value[0]), float(first[0]), float(second[0])
    (-0.5, -0.5, -0.25)
    """

    mean: float
    sd: float

    def __post_init__(self) -> None:
        check_fields(self, mean=a_number, sd=a_positive)

    def terms(self, x: np.ndarray) -> _Terms:
        """Return the log density, its first and its second derivative."""
        off = (x - self.mean) / self.sd
        return -0.5 * off**2, -off / self.sd, np.full_like(off, -1 / self.sd**2)

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Return random values (size,)."""
        return rng.normal(self.mean, self.sd, size)


@dataclass(frozen=True, kw_only=True)
class SplitNormalPrior:
    """Two halves of normal densities that meet at their common mode, one on each side of it.

    Attributes
    ----------
    mode
        Value of highest density, on the parameter's scale.
    sd_below, sd_above
        Standard deviations of the halves below and above it, above 0, on the same scale.

    Examples
    --------
    >>> prior = SplitNormalPrior(mode=0.0, sd_below=2.0, sd_above=1.0)
    >>> prior.terms(np.array([-2.0, 1.0]))[0].tolist()
    [-0.5, -0.5]
    """

    mode: float
    sd_below: float
    sd_above: float

    def __post_init__(self) -> None:
        check_fields(self, mode=a_number, sd_below=a_positive, sd_above=a_positive)

    def terms(self, x: np.ndarray) -> _Terms:
        """Return the log density, its first and its second derivative."""
        sd = np.where(x < self.mode, self.sd_below, self.sd_above)
        off = (x - self.mode) / sd
        return -0.5 * off**2, -off / sd, -1 / sd**2

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Return random values (size,)."""
        below = rng.random(size) < self.sd_below / (self.sd_below + self.sd_above)
        off = np.abs(rng.standard_normal(size))
        return self.mode + np.where(below, -self.sd_below, self.sd_above) * off


@dataclass(frozen=True, kw_only=True)
class BetaPrior:
    """Beta density of a rate between 0 and 1; its mode is (a − 1)/(a + b − 2).

    Attributes
    ----------
    a, b
        Shape parameters, at least 1; the density is proportional to x^(a − 1)·(1 − x)^(b − 1).

    Raises
    ------
    InputError
        If `a` or `b` is below 1, where the mode would be at an end.

    Examples
    --------
    >>> BetaPrior(a=2, b=50)
    BetaPrior(a=2, b=50)
    """

    a: float
    b: float

    def __post_init__(self) -> None:
        check_fields(self, a=a_number, b=a_number)
        if not (self.a >= 1 and self.b >= 1):
            raise InputError(
                f"a and b of a beta prior must be at least 1, or its mode is at an end; "
                f"a={self.a!r}, b={self.b!r} were given"
            )

    def terms(self, x: np.ndarray) -> _Terms:
        """Return the log density, its first and its second derivative."""
        up, down = np.maximum(x, _TINY), np.maximum(1 - x, _TINY)
        rise, fall = self.a - 1, self.b - 1
        return (
            rise * np.log(up) + fall * np.log(down),
            rise / up - fall / down,
            -rise / up**2 - fall / down**2,
        )

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Return random values (size,)."""
        return rng.beta(self.a, self.b, size)


@dataclass(frozen=True, kw_only=True)
class HalfCauchyPrior:
    """Half-Cauchy density of a number of at least 0, such as a standard deviation.

    Attributes
    ----------
    scale
        Median of the density, above 0, on the parameter's scale.

    Examples
    --------
    >>> HalfCauchyPrior(scale=1.0)
    HalfCauchyPrior(scale=1.0)
    """

    scale: float

    def __post_init__(self) -> None:
        check_fields(self, scale=a_positive)

    def terms(self, x: np.ndarray) -> _Terms:
        """Return the log density, its first and its second derivative."""
        square = self.scale**2 + x**2
        return -np.log(square), -2 * x / square, 2 * (x**2 - self.scale**2) / square**2

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Return random values (size,)."""
        return np.abs(self.scale * rng.standard_cauchy(size))


@dataclass(frozen=True, kw_only=True)
class ProductPrior:
    """Product of densities, such as a prior and the likelihood of other data sets of the same parameter."""

    parts: tuple[Prior, ...]

    def terms(self, x: np.ndarray) -> _Terms:
        """Return the log density, its first and its second derivative."""
        each = [part.terms(x) for part in self.parts]
        return sum(t[0] for t in each), sum(t[1] for t in each), sum(t[2] for t in each)  # type: ignore[return-value]

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Raise InputError, because nothing is drawn from a product."""
        raise InputError("nothing can be drawn from a product of priors; draw from one of them")


PRIORS = MappingProxyType(
    {
        "flat": FlatPrior,
        "normal": NormalPrior,
        "split_normal": SplitNormalPrior,
        "beta": BetaPrior,
        "half_cauchy": HalfCauchyPrior,
        "product": ProductPrior,
    }
)


def prior_to_json(prior: Prior) -> dict[str, Any]:
    """Return a prior as plain JSON values: its family and its numbers.

    Examples
    --------
    >>> prior_to_json(BetaPrior(a=2.0, b=50.0))
    {'family': 'beta', 'a': 2.0, 'b': 50.0}
    """
    families = {kind: name for name, kind in PRIORS.items()}
    if type(prior) not in families:
        raise InputError(
            f"a prior of type {type(prior).__name__} has no written form; known: {', '.join(PRIORS)}"
        )
    numbers = {
        key: [prior_to_json(part) for part in value] if isinstance(value, tuple) else value
        for key, value in vars(prior).items()
    }
    return {"family": families[type(prior)], **numbers}


def prior_from_json(value: dict[str, Any]) -> Prior:
    """Return the prior that `prior_to_json` wrote.

    Raises
    ------
    InputError
        If the family or one of its numbers is unknown or missing.
    """
    numbers = {
        key: tuple(map(prior_from_json, number)) if isinstance(number, list) else number
        for key, number in value.items()
        if key != "family"
    }
    family = value.get("family", "")
    if family not in PRIORS:
        raise unknown_name("family of priors", str(family), list(PRIORS))
    try:
        return PRIORS[family](**numbers)
    except TypeError:
        raise InputError(f"a {family} prior does not have these numbers: {numbers!r}") from None
