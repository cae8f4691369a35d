"""Links between d' and proportion correct: integrals done otherwise, inverses, slopes."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from analysis.observers.links import CLOSED_FORMS, Link, link_of
from analysis.observers.sdt import p_correct
from analysis.observers.structure import structure_of
from analysis.observers.tabulated import tabulated
from stimuli_store.errors import InputError
from stimuli_store.tasks import TASKS, task_named
from stimuli_store.tasks.forced_choice import forced_choice
from stimuli_store.tasks.oddity import oddity
from stimuli_store.tasks.types import Cell, Task

#: Tasks and rules whose link is a closed form or an integral over one variable.
EXACT = [
    *((TASKS[name], rule) for name, rule in sorted(CLOSED_FORMS)),
    *((forced_choice(m), rule) for m in (3, 4, 12) for rule in ("likelihood", "differencing")),
    (oddity(3), "likelihood"),
    *((oddity(m), "differencing") for m in (4, 5, 9)),
]
#: Those whose link is a table.
TABLED = [
    (oddity(4), "likelihood"),
    (TASKS["4iax"], "likelihood"),
    (TASKS["split-screen"], "likelihood"),
]
SENSITIVE = np.random.default_rng(5).uniform(0.05, 6.0, 3000)


def named(case: tuple[Task, str]) -> str:
    return f"{case[0].name}-{case[1]}"


def derivative(link: Link, d: np.ndarray) -> np.ndarray:
    """Central differences of eighth order."""
    weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
    h = 0.02
    return sum(
        w * (link.p_correct(d + k * h) - link.p_correct(d - k * h)) / h for k, w in weights.items()
    )


def integral(integrand, points: list[float]) -> float:  # type: ignore[no-untyped-def]
    ends = [-12.0, *sorted(points), 24.0]
    return sum(
        quad(integrand, *pair, epsabs=1e-13, epsrel=1e-12)[0]
        for pair in pairwise(ends)
        if pair[1] > pair[0]
    )


@pytest.mark.parametrize("m", [3, 4, 12, 60])
def test_forced_choice_is_the_integral_over_the_largest_percept(m: int) -> None:
    link = link_of(forced_choice(m))
    for d in (-2.0, -0.4, 0.0, 0.3, 1.0, 2.2, 4.0, 6.0):
        expected = integral(lambda x, d=d: norm.pdf(x - d) * norm.cdf(x) ** (m - 1), [d, d + 3])
        assert float(link.p_correct(d)) == pytest.approx(expected, abs=1e-11)


def test_likeliest_odd_one_of_three_is_the_largest_if_the_median_is_low() -> None:
    link = link_of(oddity(3), "likelihood")
    for d in (0.0, 0.3, 1.0, 2.2, 4.0, 6.0):

        def right(x: float, d: float = d) -> float:
            others_low, others_high = min(x, d / 2), max(x, d / 2)
            return norm.pdf(x - d) * (norm.cdf(others_low) ** 2 + norm.sf(others_high) ** 2)

        assert float(link.p_correct(d)) == pytest.approx(integral(right, [d / 2, d]), abs=1e-11)


def test_the_percept_farthest_from_the_mean_of_three_is_an_integral() -> None:
    """y = x₁ − (x₂ + x₃)/2 has variance 3/2; x₁ is farthest if |x₂ − x₃|/2 < |y|/3, of variance 1/2."""
    link, spread = link_of(oddity(3), "differencing"), np.sqrt(1.5)
    for d in (0.0, 0.3, 1.0, 2.2, 4.0, 6.0):

        def right(y: float, d: float = d) -> float:
            within = 2 * norm.cdf(abs(y) * np.sqrt(2) / 3) - 1
            return norm.pdf((y - d) / spread) / spread * within

        assert float(link.p_correct(d)) == pytest.approx(integral(right, [0.0, d]), abs=1e-11)


@pytest.mark.parametrize("m", [3, 4, 5, 7, 12, 25])
def test_guessing_among_m_is_one_in_m_by_every_integral(m: int) -> None:
    for task in (forced_choice(m), oddity(m)):
        for rule in ("differencing", "likelihood") if task.name.endswith("afc") else task.rules[:1]:
            assert float(link_of(task, rule).p_correct(0.0)) == pytest.approx(1 / m, abs=1e-10)


@pytest.mark.parametrize("case", EXACT, ids=named)
def test_inverse_of_an_exact_link_gives_dprime_back(case: tuple[Task, str]) -> None:
    link = link_of(*case)
    assert link.dprime(link.p_correct(SENSITIVE)) == pytest.approx(SENSITIVE, abs=1e-10, rel=0)
    if link.curve.below:
        back = link.dprime(link.p_correct(-SENSITIVE))
        assert back == pytest.approx(-SENSITIVE, abs=1e-10, rel=0)


@pytest.mark.parametrize("case", EXACT, ids=named)
def test_beyond_that_the_spacing_of_numbers_near_one_is_the_bound(case: tuple[Task, str]) -> None:
    link, d = link_of(*case), np.linspace(6.0, 9.0, 301)
    bound = 8 * 1.1e-16 / link.slope(d)
    assert (np.abs(link.dprime(link.p_correct(d)) - d) <= bound).all()


@pytest.mark.parametrize("case", EXACT, ids=named)
def test_slope_of_an_exact_link_is_the_derivative(case: tuple[Task, str]) -> None:
    link, d = link_of(*case), np.linspace(0.1, 6.0, 60)
    assert link.slope(d) == pytest.approx(derivative(link, d), abs=1e-10)
    assert link.slope(-d) == pytest.approx(derivative(link, -d), abs=1e-10)


@pytest.mark.long
@pytest.mark.parametrize("case", TABLED, ids=named)
def test_a_table_has_an_inverse_a_slope_and_a_stated_error(case: tuple[Task, str]) -> None:
    link = link_of(*case)
    assert 0 < 4 * link.error <= 0.001
    assert link.dprime(link.p_correct(SENSITIVE)) == pytest.approx(SENSITIVE, abs=1e-8, rel=0)
    d, h = np.linspace(0.31, 5.01, 48), 1e-5  # between the knots
    numeric = (link.p_correct(d + h) - link.p_correct(d - h)) / (2 * h)
    assert link.slope(d) == pytest.approx(numeric, abs=1e-8)
    assert float(link.p_correct(1e6)) == pytest.approx(1.0, abs=1e-12)
    assert float(link.slope(1e6)) == 0.0


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("abx", "likelihood"),
        ("oddity", "likelihood"),
        ("2ifc", "likelihood"),
        ("3afc", "likelihood"),
        ("same-different", "likelihood"),
        ("oddity", "differencing"),
        pytest.param("4iax", "differencing", marks=pytest.mark.slow),
        pytest.param("oddity-6", "differencing", marks=pytest.mark.slow),
    ],
)
def test_a_table_of_what_is_known_exactly_is_off_by_a_thousandth_at_most(
    name: str, rule: str
) -> None:
    link, table = link_of(TASKS[name], rule), tabulated(structure_of(TASKS[name]), rule)
    assert 0 < 4 * table.error <= 0.001
    d = np.linspace(0.0, 12.0, 961)
    assert table.p(d) == pytest.approx(link.p_correct(d), abs=0.001)


@pytest.mark.parametrize("case", [*EXACT, *TABLED], ids=named)
def test_proportions_rise_from_chance_to_certainty(case: tuple[Task, str]) -> None:
    link, d = link_of(*case), np.linspace(0.0, 40.0, 801)
    p = link.p_correct(d)
    assert p[0] == pytest.approx(link.guess, abs=1e-9)
    assert (np.diff(p) >= -1e-15).all()
    assert p[-1] == pytest.approx(1.0, abs=1e-14)
    assert float(link.p_correct(np.inf)) == p[-1]


def test_chance_and_certainty_have_a_dprime() -> None:
    link = link_of(task_named("abx"))
    assert link.dprime(np.array([0.0, 0.3, 0.5, 1.0])).tolist() == [0.0, 0.0, 0.0, np.inf]
    assert link_of(task_named("2ifc")).dprime(np.array([0.0, 0.5])).tolist() == [-np.inf, 0.0]
    near = np.array([np.nextafter(0.5, 1), 1 - 1e-16, 1 - 1e-14])
    assert link.p_correct(link.dprime(near)) == pytest.approx(near, abs=4.5e-16)


@pytest.mark.parametrize("name", ["abx", "match-to-sample"])
def test_independent_observation_gives_the_likeliest_answer_of_abx(name: str) -> None:
    likeliest = link_of(TASKS[name], "likelihood")
    assert likeliest.formula == link_of(TASKS["abx"], "independent").formula


def test_closed_forms_follow_the_cells_and_not_the_name() -> None:
    abx = task_named("abx")
    renamed = replace(abx, name="house-abx")
    assert link_of(renamed, "differencing").error == 0
    asked = tuple(
        Cell(fills=cell.fills, answer="A" if cell.answer == "B" else "B") for cell in abx.cells
    )
    turned = replace(abx, cells=asked)  # which of the two differs from X
    with pytest.raises(InputError, match="only ABX has it"):
        link_of(turned, "independent")
    link = link_of(turned, "likelihood")
    assert link.error > 0  # integrated
    assert float(link.p_correct(2.0)) == pytest.approx(float(p_correct(2.0)), abs=0.001)


def test_every_closed_form_is_the_link_of_its_task() -> None:
    for (name, rule), curve in CLOSED_FORMS.items():
        assert rule in TASKS[name].rules
        assert link_of(TASKS[name], rule).formula == curve.formula
