"""A task that is declared here, and nowhere else, has everything that declared tasks have."""

import numpy as np
import pytest
from scipy.stats import norm

from analysis.observers.bias import fit_bias
from analysis.observers.counted.from_counts import dprime_from_counts
from analysis.observers.links import link_of
from analysis.observers.rule_comparison import compare_rules
from analysis.observers.sdt import dprime, guess_rate, p_correct, trials_for
from analysis.observers.simulated.drawn_answers import draw_answers
from stimuli_store.tasks.checks import check
from stimuli_store.tasks.types import Cell, PhaseSpec, Role, Show, Task

FOUR = ("1", "2", "3", "4")
#: Answer to the two pictures that go with the first one's.
GROUPS = {"12-34": "12", "13-24": "13", "14-23": "14"}

#: Two pictures of one stimulus and two of another: which go together?
TETRAD = Task(
    name="tetrad",
    roles=(Role(name="p", at=0.0), Role(name="q", at=1.0)),
    intervals=FOUR,
    answers=tuple(GROUPS),
    phases=(
        PhaseSpec(name="iti", ms=500.0),
        PhaseSpec(
            name="pictures",
            ms=500.0,
            shows=tuple(Show(interval=name, place=f"ring-{name}") for name in FOUR),
            listens=True,
        ),
        PhaseSpec(name="respond", ms=2000.0, listens=True),
    ),
    cells=tuple(
        Cell(fills={name: one if name in first else other for name in FOUR}, answer=answer)
        for answer, first in GROUPS.items()
        for one, other in (("p", "q"), ("q", "p"))
    ),
    rules=("differencing", "likelihood"),
)


def published(d: np.ndarray) -> np.ndarray:
    """Ennis & Jesionka (2011): P = 1 − 2∫φ(x)(2Φ(x)Φ(x − d) − Φ(x − d)²)dx."""
    x = np.linspace(-9, 9, 4001)
    below, shifted = norm.cdf(x), norm.cdf(x - d[:, None])
    return 1 - 2 * np.trapezoid(norm.pdf(x) * (2 * below * shifted - shifted**2), x, axis=1)


@pytest.mark.long
@pytest.mark.parametrize("rule", ["likelihood", "differencing"])
def test_link_inverse_and_slope_follow_from_the_cells(rule: str) -> None:
    check(TETRAD)
    d = np.linspace(0.05, 6.0, 120)
    assert p_correct(d, TETRAD, rule) == pytest.approx(published(d), abs=0.001)
    assert dprime(p_correct(d, TETRAD, rule), TETRAD, rule) == pytest.approx(d, abs=1e-8)
    link, h = link_of(TETRAD, rule), 1e-4
    slope = (published(d + h) - published(d - h)) / (2 * h)
    assert link.slope(d) == pytest.approx(slope, abs=0.01)
    assert "integration" in link.formula
    assert 0 < 4 * link.error <= 0.001
    assert guess_rate(TETRAD) == link.guess == 1 / 3
    p, rise = (np.interp(1.0, d, values) for values in (published(d), slope))
    assert trials_for(0.2, 1.0, TETRAD, rule) == pytest.approx(
        p * (1 - p) / (0.2 * rise) ** 2, rel=0.03
    )


@pytest.mark.long
def test_simulated_people_answer_it_and_their_dprime_and_bias_are_found() -> None:
    rng = np.random.default_rng(1)
    for d in (0.8, 1.6, 3.2):
        right, said = draw_answers(TETRAD, np.full(100_000, d), rng)
        p = float(published(np.array([d]))[0])
        assert (right == said).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 1e5))
    right, said = draw_answers(TETRAD, np.full(3000, 1.6), rng, bias=[0.2, 0.0, -0.2])
    counts = np.bincount(3 * right + said, minlength=9).reshape(3, 3)
    fit = fit_bias(counts, TETRAD, "likelihood")
    assert fit.answers == tuple(GROUPS)
    assert fit.dprime_low < 1.6 < fit.dprime_high
    assert fit.bias[0] > 0 > fit.bias[2]
    found = dprime_from_counts(int(np.trace(counts)), 3000, TETRAD, "likelihood")
    assert found.estimate == pytest.approx(1.6, abs=0.25)
    assert len(compare_rules([counts], TETRAD)) == 2
