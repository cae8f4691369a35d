"""A fitted psychometric function: curve, threshold, posterior, and the data and settings that gave them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.curves.axes import Axis, axis_of, to_axis
from analysis.curves.psychometric import PsychometricFunction
from analysis.curves.small_drawing import drawn_counts
from analysis.data.counts import Counts
from analysis.data.level_names import level_label
from analysis.fits.engine.batch import batch_of_counts
from analysis.fits.engine.quantities import estimates_of, profile_of, slope_target, target_of
from analysis.fits.engine.search import Quantity
from analysis.fits.engine.settings import FitSettings, check_p
from analysis.fits.fit_status import FitStatus
from analysis.infer.estimates import Estimate
from analysis.infer.intervals import DROP95
from analysis.infer.likelihood import deviance_residuals
from stimuli_store.errors import InputError
from stimuli_store.tools import html
from stimuli_store.tools.gates import a_seed, briefly, takes

if TYPE_CHECKING:
    from analysis.fits.goodness import Goodness


@dataclass(frozen=True, kw_only=True, repr=False)
class Posterior:
    """Mode of the posterior of the best sigmoid, and its normal approximation there.

    Attributes
    ----------
    names
        Parameters (K of them): position of the sigmoid's half on the axis, log2 of the width on the axis,
        then free rates and the overdispersion, as far as they are free.
    mode, covariance
        Arrays (K,) and (K, K); without the widening for scatter beyond chance.
    log_density
        Log posterior at the mode, up to a constant.
    """

    names: tuple[str, ...]
    mode: np.ndarray
    covariance: np.ndarray
    log_density: float

    def __repr__(self) -> str:
        sds = np.sqrt(np.diagonal(self.covariance))
        parts = zip(self.names, self.mode, sds, strict=True)
        return f"Posterior({', '.join(f'{name} {m:.3g} ± {sd:.2g}' for name, m, sd in parts)})"


#: Names of what a row of a table of fits holds.
SUMMARY = (
    *("threshold", "low", "high", "p", "width", "guess", "lapse"),
    *("sigmoid", "deviance", "dispersion", "trials", "status"),
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Fit:
    """A fitted psychometric function and its threshold at proportion correct `p`.

    Attributes
    ----------
    function
        The curve at the posterior mode of the best sigmoid.
    threshold, low, high
        Level at which the curve passes `p`, and its 95 % profile interval. An end is infinite (or 0
        on the log axis) if the data exclude no level on that side. The threshold itself is infinite
        where the curve never passes `p`, and where the answers are not told apart from guessing.
    status
        A `FitStatus`.
    log_likelihood, deviance
        At the mode of the best sigmoid; the deviance is against the observed proportions.
    dispersion
        Factor by which scatter beyond chance widens the drop of profiles; 1 where there is none
        (`analysis.data.counts.widening_of`).
    posterior
        Mode and covariance of the best sigmoid's parameters.
    counts, settings
        The data, and how they were fitted.
    level_name, unit
        Name and unit of the levels of the answers; "" if they are not known, as in a fit of plain numbers.

    Examples
    --------
    >>> from analysis import fit_psychometric
    >>> fit = fit_psychometric([8, 16, 32, 64, 128], [26, 31, 41, 48, 49], [50] * 5)
    >>> fit.n_trials, fit.status.name, fit.low < fit.threshold < fit.high
    (250, 'CONVERGED', True)
    """

    function: PsychometricFunction
    threshold: float
    low: float
    high: float
    status: FitStatus
    log_likelihood: float
    deviance: float
    dispersion: float
    posterior: Posterior
    counts: Counts
    settings: FitSettings
    level_name: str = ""
    unit: str = ""

    @property
    def level_label(self) -> str:
        """Name of the levels with their unit, as on an axis; ``"level"`` if neither is known."""
        return level_label(self.level_name, self.unit)

    @property
    def p(self) -> float:
        """Proportion correct that defines the threshold."""
        return self.settings.p

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return int(self.counts.n_trials.sum())

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return len(self.counts.levels)

    @property
    def rising(self) -> bool:
        """False where the curve falls with the level."""
        return self.function.rising

    @property
    def parameters(self) -> dict[str, Estimate]:
        """Free parameters of the curve with their 95 % intervals, by name.

        They are the level at the sigmoid's half, the width, and the free rates.
        """
        names = self.posterior.names
        return {name: self._estimate(target_of(name, names)) for name in names}

    def threshold_at(self, p: float) -> Estimate:
        """Return the level at which the curve passes `p`, with its 95 % interval.

        Raises
        ------
        InputError
            If `p` is not between the fixed asymptotes.

        Examples
        --------
        >>> from analysis.fits.fitting import fit_psychometric
        >>> fit = fit_psychometric([8, 16, 32, 64, 128], [26, 31, 41, 48, 49], [50] * 5)
        >>> fit.threshold_at(0.75).value == fit.threshold
        True
        """
        return self._estimate(Quantity(p=check_p(p, self.settings)))

    def slope_at(self, p: float) -> Estimate:
        """Return the curve's slope by the position on the axis where it passes `p`, with its 95 % interval.

        On the log axis it is per octave; divided by level·ln 2, the level being that of `threshold_at`, it is
        per unit of the level. On the linear axis it is per unit of the level.

        Raises
        ------
        InputError
            If `p` is not between the fixed asymptotes.

        Examples
        --------
        >>> from analysis.fits.fitting import fit_psychometric
        >>> fit = fit_psychometric([8, 16, 32, 64, 128], [26, 31, 41, 48, 49], [50] * 5)
        >>> per_level = fit.slope_at(0.75).value / (fit.threshold_at(0.75).value * np.log(2))
        >>> near = fit.threshold * np.array([0.999, 1.001])
        >>> rise = np.diff(fit.predict(near)) / np.diff(near)
        >>> bool(np.isclose(per_level, rise[0], rtol=1e-4))
        True
        """
        return self._estimate(slope_target(check_p(p, self.settings)))

    @property
    def summary(self) -> dict[str, float | str]:
        """Threshold with interval, curve, goodness and status, by name: a row of a table."""
        curve = self.function
        ends, rates = (self.threshold, self.low, self.high), (curve.guess, curve.lapse)
        misfit = (self.deviance, self.dispersion)
        status = self.status.name.lower()
        row = (*ends, self.p, curve.width, *rates, curve.sigmoid, *misfit, self.n_trials, status)
        return dict(zip(SUMMARY, row, strict=True))

    @property
    def table(self) -> pd.DataFrame:
        """The `summary` as a table of one row."""
        return pd.DataFrame([self.summary])

    def profile(self, levels: ArrayLike) -> np.ndarray:
        """Return the log posterior, maximized over all else, at thresholds (V,), less that of the mode.

        The 95 % interval holds the thresholds at which it is above −1.92 times the dispersion.

        Examples
        --------
        >>> from analysis.fits.fitting import fit_psychometric
        >>> fit = fit_psychometric([8, 16, 32, 64, 128], [26, 31, 41, 48, 49], [50] * 5)
        >>> (-fit.profile([fit.low, fit.threshold, fit.high])).round(2).tolist()
        [1.92, 0.0, 1.92]
        """
        batch = batch_of_counts([self.counts], self.settings.axis)
        places = np.atleast_1d(to_axis(levels, self.settings.axis))
        if places.ndim != 1 or not places.size:
            raise InputError(
                f"levels of a profile must be a list of numbers; not {briefly(levels)}"
            )
        return profile_of(batch, self.settings, self.p, self.rising, places)

    def predict(self, levels: ArrayLike) -> np.ndarray:
        """Return the fitted proportion correct at each level (same shape)."""
        return self.function(levels)

    def residuals(self) -> np.ndarray:
        """Return the deviance residual at each level of `counts` (L,); their squares sum to the deviance."""
        given = self.counts
        return deviance_residuals(self.predict(given.levels), given.n_correct, given.n_trials)

    @takes(seed=a_seed)
    def goodness(self, seed: int = 0) -> "Goodness":
        """Return the deviance and the trend of the residuals against 1,000 simulated good fits."""
        from analysis.fits.goodness import goodness_of_fit

        return goodness_of_fit(self, seed=seed)

    def save(self, path: str | Path) -> Path:
        """Write the fit to a JSON file and return its path (`analysis.fits.saved.save_fit`)."""
        from analysis.fits.saved import save_fit

        return save_fit(self, path)

    @staticmethod
    def load(path: str | Path, *, axis: Axis | None = None) -> "Fit":
        """Return the fit of a file that `save` wrote (`analysis.fits.saved.load_fit`)."""
        from analysis.fits.saved import load_fit

        return load_fit(path, axis=axis)

    def _estimate(self, target: Quantity) -> Estimate:
        batch = batch_of_counts([self.counts], self.settings.axis)
        found = estimates_of(
            batch,
            self.settings,
            target,
            np.array([self.rising]),
            np.array([DROP95 * self.dispersion]),
        )
        return found.at(0)

    def __repr__(self) -> str:
        way = "" if self.rising else ", falling"
        of = f"{self.level_label} " if self.level_name or self.unit else ""
        return (
            f"Fit({of}{Estimate(value=self.threshold, low=self.low, high=self.high)} at {self.p:g}, "
            f"{self.function.sigmoid}{way}, {self.n_trials} trials, {self.status.name})"
        )

    def _repr_html_(self) -> str:
        curve, levels = self.function, "level" if self.n_levels == 1 else "levels"
        ends = Estimate(value=self.threshold, low=self.low, high=self.high)
        rows = [
            (f"threshold ({self.level_label} at {self.p:g}) [95 %]", ends),
            ("sigmoid", curve.sigmoid if self.rising else f"{curve.sigmoid}, falling"),
            (f"width ({axis_of(curve.axis).unit})", f"{curve.width:.3g}"),
            ("guess, lapse", f"{curve.guess:.3g}, {curve.lapse:.3g}"),
            ("trials", f"{self.n_trials} at {self.n_levels} {levels}"),
            ("deviance", f"{self.deviance:.3g}"),
            ("status", self.status.value),
        ]
        drawn = drawn_counts(
            self.counts,
            curve.axis,
            curve,
            self.threshold,
            f"proportion correct by level, with the fitted curve and its threshold {self.threshold:.3g}",
        )
        return html.table((), rows) + drawn
