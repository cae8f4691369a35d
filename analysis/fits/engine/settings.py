"""Settings of fits of psychometric functions, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from scipy.special import ndtri

from analysis.curves.asymptotes import SHARED, Asymptotes, asymptotes_of
from analysis.curves.axes import LOG_AXIS, Axis, axis_of
from analysis.curves.parametrization import Parametrization, Steepness
from analysis.curves.sigmoids import SIGMOIDS, sigmoid_of
from analysis.data.counts import SURE, is_below, trend_of
from analysis.infer.noise import NOISES, Noise
from analysis.infer.priors import BetaPrior, FlatPrior, Prior, SplitNormalPrior
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import a_mapping, as_float, briefly, like, one_of

ANY = "any"
HETEROGENEITY = "heterogeneity"
_SHAPES = {  # one symmetric, one that rises slowly, one that saturates slowly
    True: ("normal", "weibull", "reversed_gumbel"),
    False: ("normal", "gumbel", "reversed_gumbel"),
}
_DISPERSIONS = {HETEROGENEITY: "binomial", "none": "binomial", "beta-binomial": "beta-binomial"}
_a_prior = like(
    "FlatPrior(), NormalPrior(…), BetaPrior(…) or another record with terms and draw", "terms"
)
_E_FOLD = float(1 / np.log(2))  # a factor of e, in octaves
_DEFAULTS: Mapping[str, Prior] = {
    "threshold": FlatPrior(),
    "width": SplitNormalPrior(mode=0.0, sd_below=2.5 * _E_FOLD, sd_above=_E_FOLD),
    "lapse": BetaPrior(a=2.0, b=50.0),
    "guess": BetaPrior(a=1.0, b=10.0),
    "eta": BetaPrior(a=1.0, b=10.0),
}


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """Settings of a fit; `fit_psychometric` describes them."""

    sigmoid: str = ANY
    guess: float | str = 0.5
    lapse: float | str = "free"
    p: float = 0.75
    axis: str | Axis = "log"
    rising: bool | None = None
    dispersion: str = HETEROGENEITY
    priors: Mapping[str, Prior] = field(default_factory=dict)

    @property
    def shares_lapse(self) -> bool:
        """True where all data sets of a fit have the same free lapse rate."""
        return self.lapse == SHARED

    @property
    def shapes(self) -> tuple[str, ...]:
        """Names of the sigmoids that are fitted."""
        if self.sigmoid != ANY:
            return (self.sigmoid,)
        return _SHAPES[axis_of(self.axis) == LOG_AXIS]

    @property
    def asymptotes(self) -> Asymptotes:
        """Asymptotes that `guess` and `lapse` name."""
        return asymptotes_of(self.guess, self.lapse)

    @property
    def noise(self) -> Noise:
        """Scatter of the answers about the curve."""
        return NOISES[_DISPERSIONS[self.dispersion]]

    def parametrization(
        self, shape: str, p: float | None = None, steepness: Steepness = Steepness.WIDTH
    ) -> Parametrization:
        """Return the coordinates of the curves of one sigmoid."""
        return Parametrization(
            shape=sigmoid_of(shape, self.axis),
            asymptotes=self.asymptotes,
            noise=self.noise,
            p=p,
            steepness=steepness,
        )

    def priors_of(self, names: tuple[str, ...]) -> list[Prior]:
        """Return the prior of each named quantity."""
        return [self.priors.get(name, _DEFAULTS[name]) for name in names]


def named_settings(given: Mapping[str, Any]) -> FitSettings:
    """Return checked settings by name; raise InputError if a name or a value is not valid."""
    known = [one.name for one in fields(FitSettings)]
    for name in given:
        if name not in known:
            raise unknown_name("setting of a fit", name, known)
    return checked(FitSettings(**{**given, "priors": priors_given(given.get("priors"))}))


def priors_given(priors: Any) -> dict[str, Prior]:
    """Return priors by quantity; raise InputError if they are no mapping of records."""
    found = {} if priors is None else a_mapping(priors, "priors")
    return {name: _a_prior(prior, f"the prior of {name}") for name, prior in found.items()}


def checked(given: FitSettings) -> FitSettings:
    """Return settings after checking that each is known and that they fit together.

    Raises
    ------
    InputError
        If a name is unknown, a number out of its range or no number, or `p` outside the asymptotes.
    """
    one_of(ANY, *SIGMOIDS)(given.sigmoid, "sigmoid")
    axis_of(given.axis)
    for shape in given.shapes:
        sigmoid_of(shape, given.axis)
    check_p(given.p, given)
    if given.rising is not None and not isinstance(given.rising, bool | np.bool_):
        raise InputError(f"rising must be True, False or None; not {briefly(given.rising)}")
    one_of(*_DISPERSIONS)(given.dispersion, "dispersion")
    names = given.parametrization(given.shapes[0]).names
    for name in given.priors:
        if name not in names:
            raise unknown_name("prior: no free quantity", str(name), list(names))
    return given


def check_p(p: Any, given: FitSettings) -> float:
    """Return a proportion after checking that it lies between the fixed asymptotes.

    Raises
    ------
    InputError
        If it does not, or is no number.
    """
    fixed = given.asymptotes
    low, high = fixed.guess, 1 - fixed.lapse
    number = as_float(p)
    if number is None or not low < number < high:
        top = "1" if high == 1 else f"1 minus the lapse rate, {high:g}"
        raise InputError(
            f"the proportion p of a threshold must be a number between the guess rate, {low:g}, and {top}; "
            f"not {briefly(p)}"
        )
    return number


def directions(
    x: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray, settings: FitSettings
) -> np.ndarray:
    """Return whether a rising curve is fitted to each data set (B,), from positions and counts (B, L).

    Unless the settings say it, a falling one is fitted where answers fall beyond doubt without being below
    chance.
    """
    if settings.rising is not None:
        return np.full(len(x), bool(settings.rising))
    falls = trend_of(x, n_correct, n_trials) < ndtri(SURE)
    return ~falls | is_below(settings.asymptotes.guess, n_correct, n_trials)
