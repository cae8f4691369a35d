"""Recovery of a known truth by an estimate with its interval, and calibration of a posterior."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import kstest

from analysis.data.answers import Answers
from analysis.infer.estimates import Estimate
from analysis.observers.counted.proportions import wilson
from analysis.planning.many_studies import found_in_studies
from analysis.planning.study import StudyDesign, given_design
from analysis.planning.truths import Truth, truths_of_conditions
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import (
    a_count,
    a_function,
    a_list,
    a_number,
    a_seed,
    as_float,
    briefly,
    like,
    takes,
)
from stimuli_store.tools.progress import progress_bar
from stimuli_store.tools.shown import FieldTable

_an_estimate = like(
    "an Estimate, or another record with value, low and high", "value", "low", "high"
)


@dataclass(frozen=True, kw_only=True)
class Recovery(FieldTable):
    """Bias, spread and coverage of an estimate over simulated studies.

    Attributes
    ----------
    bias, sd
        Mean error and standard deviation of the finite estimates.
    coverage, coverage_low, coverage_high
        Share of the 95 % intervals that hold the truth, with its 95 % binomial interval.
    median_width
        Median width of the intervals; infinite if half of them are open.
    failed
        Share of studies without a finite estimate; their intervals count for the coverage all the same.
    n_studies
        Number of studies.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> from analysis import StudyDesign, ThresholdTruth, power, precision
    >>> design = StudyDesign(
    ...     task=task_named("2ifc"), levels=(4.0,), n_participants=2, n_images=1, n_trials=50
    ... )
    >>> from analysis import Estimate, recovery
    >>> found = recovery(
    ...     design, ThresholdTruth(threshold=1.0),
    ...     lambda answers: Estimate(value=1.0, low=0.5, high=1.5), 1.0, n_studies=3
    ... )
    >>> found.coverage, found.bias
    (1.0, 0.0)
    """

    bias: float
    sd: float
    coverage: float
    coverage_low: float
    coverage_high: float
    median_width: float
    failed: float
    n_studies: int


@takes(
    design=given_design,
    truth=truths_of_conditions,
    estimate=a_function,
    true=a_number,
    n_studies=a_count,
    seed=a_seed,
)
def recovery(
    design: StudyDesign,
    truth: Truth | Mapping[str, Truth],
    estimate: Callable[[Answers], Estimate],
    true: float,
    *,
    n_studies: int = 200,
    seed: int = 0,
) -> Recovery:
    """Return how well an estimate finds a known truth.

    Parameters
    ----------
    design, truth, n_studies, seed
        As for `analysis.planning.power.power`.
    estimate
        From the answers of one study to a value with its 95 % interval.
    true
        The value that it should find.

    Raises
    ------
    InputError
        As for `analysis.planning.power.power`.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> from analysis.planning.truths import ThresholdTruth
    >>> design = StudyDesign(
    ...     task=task_named("2ifc"), levels=(9.0,), n_participants=1, n_images=1, n_trials=100
    ... )
    >>> def share(answers):
    ...     k = float(answers.table.n_correct.sum())
    ...     return Estimate(value=k / 100, low=k / 100 - 0.04, high=k / 100 + 0.04)
    >>> recovery(design, ThresholdTruth(threshold=1.0), share, 0.98, n_studies=50).coverage > 0.8
    True
    """
    found = found_in_studies(
        lambda answers: _an_estimate(estimate(answers), "what estimate returns"),
        design,
        truth,
        n_studies=n_studies,
        seed=seed,
    )
    value, low, high = (
        np.array([getattr(one, name) for one in found], dtype=np.float64)
        for name in ("value", "low", "high")
    )
    finite = np.isfinite(value)
    held = int(((low <= true) & (true <= high)).sum())
    ends = [float(end) for end in wilson(held, n_studies)]
    return Recovery(
        bias=float(value[finite].mean() - true) if finite.any() else np.nan,
        sd=float(value[finite].std(ddof=1)) if finite.sum() > 1 else np.nan,
        coverage=held / n_studies,
        coverage_low=ends[0],
        coverage_high=ends[1],
        median_width=float(np.median(np.where(np.isinf(low) | np.isinf(high), np.inf, high - low))),
        failed=float(1 - finite.mean()),
        n_studies=n_studies,
    )


@dataclass(frozen=True, kw_only=True)
class Calibration(FieldTable):
    """Simulation-based calibration: where truths drawn from the prior lie in their posteriors.

    Attributes
    ----------
    shares
        For each data set the posterior probability below the truth (N,), uniform if all is right.
    p_value
        Kolmogorov-Smirnov test of uniformity.

    Examples
    --------
    >>> from scipy.stats import beta
    >>> from analysis import calibration
    >>> def draw(rng):
    ...     p = rng.uniform()
    ...     return p, rng.binomial(20, p)
    >>> found = calibration(draw, lambda p, k: beta.cdf(p, k + 1, 21 - k), n_sets=50)
    >>> type(found).__name__, found.p_value > 1e-3
    ('Calibration', True)
    """

    shares: np.ndarray = field(repr=False)
    p_value: float


@takes(draw=a_function, share_below=a_function, n_sets=a_count, seed=a_seed)
def calibration(
    draw: Callable[[np.random.Generator], tuple[float, object]],
    share_below: Callable[[float, object], float],
    *,
    n_sets: int = 1000,
    seed: int = 0,
) -> Calibration:
    """Draw truths from a prior, and return where each truth lies in its posterior.

    Source: Talts, Betancourt, Simpson, Vehtari & Gelman (2018), arXiv:1804.06788.

    Parameters
    ----------
    draw
        From a generator to a truth drawn from the prior, and data drawn given the truth.
    share_below
        From a truth and data to the posterior probability of smaller values.
    n_sets, seed
        Number of data sets, and the seed that draws them.

    Raises
    ------
    InputError
        If a number is not valid, or a share lies outside 0 to 1.

    Examples
    --------
    >>> from scipy.stats import beta
    >>> def draw(rng):
    ...     p = rng.uniform()
    ...     return p, rng.binomial(20, p)
    >>> found = calibration(draw, lambda p, k: beta.cdf(p, k + 1, 21 - k), n_sets=200)
    >>> found.p_value > 0.01
    True
    """
    rng = np.random.default_rng(seed)
    shares = []
    with progress_bar(n_sets, "data set") as bar:
        for _ in range(n_sets):
            pair = a_list(draw(rng), "what draw returns")
            if len(pair) != 2:
                raise InputError(f"draw must return a truth and data; it returned {briefly(pair)}")
            shares.append(as_float(share_below(*pair)))
            bar.update()
    found = np.array(shares, dtype=np.float64)
    if not ((found >= 0) & (found <= 1)).all():
        raise InputError("share_below must return a probability, from 0 to 1")
    return Calibration(shares=found, p_value=float(kstest(found, "uniform").pvalue))
