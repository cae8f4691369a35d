"""Speed of the analysis, part by part: ``python -m benchmarks analysis [PART ...]``; all parts by default.

Times are CPU time of one process. Peers run beside, and ratios to them come first.
"""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from analysis.observers.links import Link, link_of
from benchmarks.cpu_time import seconds
from benchmarks.fits import fits
from benchmarks.ranking import ranking
from stimuli_store.tasks import task_named
from stimuli_store.tasks.forced_choice import forced_choice
from stimuli_store.tasks.oddity import oddity
from stimuli_store.tools.command_line import NamesTheNearest

N_INVERSES = 1_000_000
MOST_S = 1.0
ROOTS = 300


def observers() -> bool:
    """Print how long a million inverses take beside SciPy, and return whether closed forms meet the target.

    SciPy's root finder takes one value at a time, so that it gets fewer; `norm.ppf` is the inverse of 2IFC.
    """
    links = [
        *(
            link_of(task_named(name))
            for name in ("2ifc", "abx", "oddity", "4iax", "same-different")
        ),
        link_of(task_named("abx"), "differencing"),
        link_of(forced_choice(4)),
        link_of(oddity(4)),
        link_of(oddity(3), "likelihood"),
    ]
    d = np.random.default_rng(0).uniform(0.05, 6.0, N_INVERSES)
    print(f"{N_INVERSES:,} inverses, d' from 0.05 to 6; target {MOST_S:g} s for a closed form")
    print(f"{'task':>16} {'rule':>13} {'times brentq':>13} {'s':>7} {'largest error':>14}")
    met = True
    for link in links:
        p = link.p_correct(d)
        ours = seconds(lambda link=link, p=p: link.dprime(p))
        theirs = seconds(lambda link=link, p=p: roots(link, p[:ROOTS])) * N_INVERSES / ROOTS
        error = float(np.abs(link.dprime(p) - d).max())
        print(f"{link.task:>16} {link.rule:>13} {theirs / ours:13.0f} {ours:7.3f} {error:14.1e}")
        met &= ours <= MOST_S and error <= 1e-10
    p = links[0].p_correct(d)
    ours, theirs = (
        seconds(call) for call in (lambda: links[0].dprime(p), lambda: np.sqrt(2) * norm.ppf(p))
    )
    print(f"2IFC takes {ours / theirs:.1f} times as long as norm.ppf")
    return met


def roots(link: Link, p: np.ndarray) -> list[float]:
    """Return d' at each p by SciPy's root finder."""
    return [
        brentq(lambda d, at=at: float(link.p_correct(d)) - at, 0.0, 64.0, xtol=1e-11) for at in p
    ]


#: Parts by name; each prints its table and returns whether its targets are met.
PARTS: Mapping[str, Callable[[], bool]] = {
    "observers": observers,
    "fits": fits,
    "ranking": ranking,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the parts that were asked for; return 0 if their targets are met."""
    parser = NamesTheNearest(prog="python -m benchmarks analysis", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    asked = parser.parse_args(arguments).parts or list(PARTS)
    unknown = sorted(set(asked) - set(PARTS))
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    met = [PARTS[name]() for name in asked]  # all of them, though one may miss
    return int(not all(met))
