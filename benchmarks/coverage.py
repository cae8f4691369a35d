"""Coverage of 95 % intervals of thresholds: simulated answers, fitted, and how often the truth is inside.

The table stands in ``docs/fits.md``. Seeds are fixed, so that it can be printed again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from analysis.curves.psychometric import PsychometricFunction
from analysis.fits.fitting import fit_many
from analysis.infer.noise import BetaBinomial, Binomial
from stimuli_store.tools.command_line import NamesTheNearest

SHAPES = ("normal", "logistic", "weibull")
DESIGNS = ((7, 40), (7, 400), (5, 12))
LAPSES, ETAS = (0.02, 0.08), (0.0, 0.2)
RANGE_OCTAVES, WIDTH_OCTAVES, P = 3.0, 2.0, 0.75
LOWEST, HIGHEST = 0.92, 0.98  # of every cell with 40 trials a level or more
MEAN = (0.94, 0.96)


@dataclass(frozen=True, kw_only=True)
class CoverageCell:
    """A kind of data: sigmoid, numbers of levels and of trials at each, lapse rate, overdispersion."""

    shape: str
    n_levels: int
    n_trials: int
    lapse: float
    eta: float


def cells() -> Iterator[CoverageCell]:
    """Yield all kinds of data."""
    for (n_levels, n_trials), shape, lapse, eta in product(DESIGNS, SHAPES, LAPSES, ETAS):
        yield CoverageCell(shape=shape, n_levels=n_levels, n_trials=n_trials, lapse=lapse, eta=eta)


def coverage(
    cell: CoverageCell,
    n_sets: int,
    seed: int,
    *,
    sigmoid: str = "",
    dispersion: str = "heterogeneity",
) -> tuple[float, float]:
    """Return the share of intervals that hold the truth, and the median width in octaves.

    `sigmoid` is the fitted one; empty for the simulated one.
    """
    x = np.linspace(-RANGE_OCTAVES / 2, RANGE_OCTAVES / 2, cell.n_levels)
    levels = np.exp2(4.5 + x)
    curve = PsychometricFunction(
        sigmoid=cell.shape, threshold=2**4.5, width=WIDTH_OCTAVES, guess=0.5, lapse=cell.lapse
    )
    shape = (n_sets, cell.n_levels)
    noise = BetaBinomial() if cell.eta else Binomial()
    right = noise.draw(
        np.random.default_rng(seed),
        np.broadcast_to(curve(levels), shape),
        np.full(shape, float(cell.n_trials)),
        np.full((n_sets, 1), cell.eta),
    )
    fits = fit_many(
        [(levels, one, [cell.n_trials] * cell.n_levels) for one in right],
        sigmoid=sigmoid or cell.shape,
        p=P,
        dispersion=dispersion,
    )
    ends, true = np.array([(f.low, f.high) for f in fits]), float(curve.level_at(P))
    with np.errstate(divide="ignore"):
        widths = np.log2(ends[:, 1]) - np.log2(ends[:, 0])
    return float(np.mean((ends[:, 0] <= true) & (true <= ends[:, 1]))), float(np.median(widths))


def main(arguments: list[str] | None = None) -> int:
    """Print the table of coverage, and return 1 if it is outside the targets."""
    parser = NamesTheNearest(prog="python -m benchmarks coverage", description=__doc__)
    parser.add_argument("--sets", type=int, default=2000, help="data sets of each kind")
    n_sets = parser.parse_args(arguments).sets
    print(f"{n_sets} sets of each kind, seed = number of the row; median width in octaves")
    print("| sigmoid | levels × trials | lapse | η | own sigmoid | width | default | width |")
    print("|---|---|---|---|---|---|---|---|")
    own, default = [], []
    for seed, cell in enumerate(cells()):
        found = coverage(cell, n_sets, seed), coverage(cell, n_sets, seed, sigmoid="any")
        columns = " | ".join(f"{share:.3f} | {width:.2f}" for share, width in found)
        design = f"{cell.n_levels} × {cell.n_trials}"
        print(f"| {cell.shape} | {design} | {cell.lapse} | {cell.eta} | {columns} |", flush=True)
        if cell.n_trials >= 40:
            own.append(found[0][0])
            default.append(found[1][0])
    for name, shares in (("own sigmoid", own), ("default", default)):
        print(f"{name}: {min(shares):.3f} to {max(shares):.3f}, mean {np.mean(shares):.4f}")
    _print_others(n_sets)
    good = min(own) >= LOWEST and max(own) <= HIGHEST and MEAN[0] <= np.mean(own) <= MEAN[1]
    return int(not good)


def _print_others(n_sets: int) -> None:
    """Print what a wrong sigmoid and other treatments of scatter cost, with lapses of 2 %."""
    print("| simulated | trials | η | fitted, scatter | coverage | width |")
    print("|---|---|---|---|---|---|")
    wrong = {"normal": "weibull", "logistic": "reversed_gumbel", "weibull": "reversed_gumbel"}
    for seed, (shape, n_trials, eta) in enumerate(product(SHAPES, (40, 400), ETAS)):
        cell = CoverageCell(shape=shape, n_levels=7, n_trials=n_trials, lapse=0.02, eta=eta)
        for sigmoid, dispersion in (
            (wrong[shape], "heterogeneity"),
            (shape, "beta-binomial"),
            (shape, "none"),
        ):
            share, width = coverage(
                cell, n_sets, 100 + seed, sigmoid=sigmoid, dispersion=dispersion
            )
            how = f"{sigmoid}, {dispersion}"
            print(
                f"| {shape} | {n_trials} | {eta} | {how} | {share:.3f} | {width:.2f} |", flush=True
            )
