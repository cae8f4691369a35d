"""Coverage of intervals for new people and images: simulated studies whose truth is known."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from scipy.special import stdtrit
from scipy.stats import norm

from analysis.curves.cell_models import ScalingModel, ThresholdModel
from analysis.fits.hierarchy import fit_hierarchy
from analysis.fits.population import population_threshold
from stimuli_store.tools.command_line import NamesTheNearest
from tests.analysis.crossed_people import (
    CRITICAL,
    GAIN,
    LAPSE,
    SIGMA,
    P,
    Study,
    answers,
    scaling_answers,
    true_threshold,
)

SETS, FITS = 1000, 200  # simulated studies of a row: jackknives, and hierarchies
COVERED = (0.92, 0.98)
FEW = (50, 50, *[10] * 10)  # two of twelve people have half of the trials
STUDIES = {
    "8 × 8, 4 trials": Study(n_trials=4),
    "8 × 8, 40 trials": Study(n_trials=40),
    "8 × 8, 40 trials, SD .5 and .5": Study(n_trials=40, sd_people=0.5, sd_images=0.5),
    "8 × 8, 40 trials, SD .5 and .3": Study(n_trials=40, sd_people=0.5, sd_images=0.3),
    "12 × 3, 20 trials": Study(n_people=12, n_images=3, n_trials=20),
    "8 people with 4 images of their own": Study(n_images=4, n_trials=10, nested=True),
    "12 people, each with 6 of 12 images": Study(n_people=12, n_images=12, n_trials=10, seen=6),
    "12 × 8, two have half of the trials": Study(n_people=12, n_trials=FEW),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """Truths, estimates and interval ends (S,) of simulated studies, and the oracle's widths."""

    name: str
    truth: float
    found: np.ndarray
    ideal: np.ndarray
    seconds: float
    most_bias: float = np.inf
    widest: float = np.inf

    @property
    def coverage(self) -> float:
        """Share of the intervals that hold the truth."""
        _, low, high = self.found.T
        return float(((low <= self.truth) & (self.truth <= high)).mean())

    @property
    def ratio(self) -> float:
        """Median width over the oracle's median width."""
        _, low, high = self.found.T
        return float(np.median(high - low) / np.median(self.ideal))

    @property
    def bias(self) -> float:
        """Mean error of the estimates."""
        return float(self.found[:, 0].mean() - self.truth)

    @property
    def met(self) -> bool:
        """Whether coverage, width and bias are as wanted."""
        covered = COVERED[0] <= self.coverage <= COVERED[1]
        return covered and self.ratio <= self.widest and abs(self.bias) <= self.most_bias

    def __str__(self) -> str:
        error = np.sqrt(self.coverage * (1 - self.coverage) / len(self.found))
        return (
            f"| {self.name} | {self.coverage:.3f} ± {error:.3f} | {self.ratio:.2f} | {self.bias:+.3f} "
            f"| {1e3 * self.seconds:.0f} |" + ("" if self.met else " missed")
        )


def main(rest: Sequence[str]) -> int:
    """Print the table, and return 1 if a row misses its target."""
    parser = NamesTheNearest(prog="python -m benchmarks populations", description=__doc__)
    parser.add_argument("--sets", type=int, default=SETS, help="simulated studies of a row")
    parser.add_argument("--fits", type=int, default=FITS, help="simulated studies of a hierarchy")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(rest)
    met = True
    print("| study | covered | width / ideal | bias | CPU ms |\n|---|---|---|---|---|")
    for row in rows(asked.sets, asked.fits, asked.seed):
        print(row, flush=True)
        met &= row.met
    return 0 if met else 1


def rows(n_sets: int, n_fits: int, seed: int) -> Iterator[Row]:
    """Yield the rows: population thresholds, then hierarchies of thresholds and of critical scaling."""
    for name, study in STUDIES.items():
        yield thresholds(name, study, n_sets, seed)
    both = "12 × 8, two have half of the trials"
    yield thresholds(f"{both}, weigh='trials'", STUDIES[both], n_sets, seed, weigh="trials")
    for n_trials in (4, 40):
        yield hierarchy(n_trials, n_fits, seed)
    for n_trials, most_bias in ((4, 0.08), (40, 0.03)):
        yield from scaling(n_trials, n_fits, seed, most_bias)


def widest_of(study: Study) -> float:
    """Return the largest median width over the ideal one: 1.4, or what Student's t asks with few levels."""
    fewest = study.n_people if study.nested else min(study.n_people, study.n_images)
    return 1.4 if fewest >= 5 else max(1.4, float(stdtrit(fewest - 1, 0.975)) / 1.96)


def thresholds(name: str, study: Study, n_sets: int, seed: int, weigh: str = "participants") -> Row:
    """Return the row of population thresholds, in octaves."""

    def fit(rng: np.random.Generator) -> tuple[list[float], float]:
        counts, ideal = answers(study, rng, weigh)
        found = population_threshold(*counts, weigh=weigh)
        return [found.value, found.low, found.high], ideal

    found, ideal, seconds = repeated(fit, n_sets, seed)
    return Row(
        name=f"threshold, {name}",
        truth=true_threshold(study),
        found=np.log2(found),
        ideal=ideal,
        seconds=seconds,
        widest=widest_of(study),
    )


def hierarchy(n_trials: int, n_fits: int, seed: int) -> Row:
    """Return the row of the mean of individuals' thresholds, in octaves."""
    study, model = Study(n_trials=n_trials), ThresholdModel(p=P)
    # Every person's threshold for every image lies this far above the middle of the sigmoid.
    truth = SIGMA * float(norm.ppf((P - 0.5) / (0.5 - LAPSE)))

    def fit(rng: np.random.Generator) -> tuple[list[float], float]:
        counts, ideal = answers(study, rng)
        found = fit_hierarchy(*counts, model=model).population["threshold"]
        return [found.value, found.low, found.high], ideal

    found, ideal, seconds = repeated(fit, n_fits, seed)
    return Row(
        name=f"hierarchy, mean threshold, 8 × 8, {n_trials} trials",
        truth=truth,
        found=np.log2(found),
        ideal=ideal,
        seconds=seconds,
        widest=1.4,
    )


def scaling(n_trials: int, n_fits: int, seed: int, most_bias: float) -> Iterator[Row]:
    """Yield the rows of critical scaling and its gain, in natural logarithms."""
    study = Study(n_trials=n_trials, sd_people=0.3, sd_images=0.3)
    names = {"critical": CRITICAL, "gain": GAIN}
    # The oracle of this row knows every person's and every image's effect without error.
    ideal = 3.92 * float(np.sqrt(0.3**2 / study.n_people + 0.3**2 / study.n_images))

    def fit(rng: np.random.Generator) -> tuple[list[float], float]:
        found = fit_hierarchy(*scaling_answers(study, rng), model=ScalingModel()).population
        ends = [(found[n].value, found[n].low, found[n].high) for n in names]
        return list(chain(*ends)), ideal

    found, ideals, seconds = repeated(fit, n_fits, seed)
    for at, (name, truth) in enumerate(names.items()):
        yield Row(
            name=f"hierarchy, log {name} (scaling), 8 × 8, {n_trials} trials",
            truth=float(np.log(truth)),
            found=np.log(found[:, 3 * at : 3 * at + 3]),
            ideal=ideals,
            seconds=seconds,
            most_bias=most_bias if name == "critical" else np.inf,
            widest=1.4,
        )


def repeated(
    fit: Callable[[np.random.Generator], tuple[list[float], float]], n_sets: int, seed: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the results of fits of simulated studies, the oracles' widths, and CPU seconds of each."""
    began = time.process_time()
    made = [fit(np.random.default_rng([seed, number])) for number in range(n_sets)]
    seconds = (time.process_time() - began) / n_sets
    found, ideal = zip(*made, strict=True)
    return np.array(found), np.array(ideal), seconds
