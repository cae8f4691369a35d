"""Signed evidence, several tasks at once, and tasks with a criterion, in rankings."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, ndtri

from analysis.curves.choice_model import fit_model
from analysis.data.cell_counts import cells_of
from analysis.data.cells import Cells, guesses_of
from analysis.data.reading import read_trials
from analysis.ranking.rank import rank, rank_models
from stimuli_store.errors import InputError
from stimuli_store.tasks import task_named
from tests.analysis.studies import lognormal, study

DIRECTED = [("2ifc", "likelihood"), ("mad-pair", "differencing"), ("mad-pair", "likelihood")]


def judged(rng: np.random.Generator) -> pd.DataFrame:
    """Eight people say of each of 20 pairs which is better; a good model and its opposite score both."""
    left, right = rng.normal(size=(2, 20))
    rows = [
        (who, f"pair{i:02d}", left[i], right[i], rng.normal() < 1.2 * (left[i] - right[i]))
        for who in "abcdefgh"
        for i in range(20)
    ]
    table = pd.DataFrame(rows, columns=["rater", "pair", "one", "two", "prefers_one"])
    return table.assign(choice=np.where(table.prefers_one, "left", "right"))


def test_sides_exchanged_in_any_trials_change_nothing() -> None:
    rng = np.random.default_rng(8)
    table = judged(rng)
    roles = {
        "participant": "rater",
        "image": "pair",
        "response": "choice",
        "evidence": {
            "good": {"left": "one", "right": "two"},
            "bad": {"left": "one", "right": "two", "prefers": "lower"},
        },
    }
    turned = rng.random(len(table)) < 0.5
    other = table.assign(
        one=table.one.where(~turned, table.two),
        two=table.two.where(~turned, table.one),
        choice=table.choice.where(~turned, table.choice.map({"left": "right", "right": "left"})),
    )
    plain, exchanged = (
        rank(read_trials(t.drop(columns="prefers_one"), roles, task="pair"), n_draws=50)
        for t in (table, other)
    )
    pd.testing.assert_frame_equal(plain.table, exchanged.table, rtol=1e-9)
    assert plain.ceiling == exchanged.ceiling
    assert plain.best == ("good",)


def preferences(seed: int, task: str = "2ifc", rule: str = "likelihood") -> Cells:
    """People who say which of two is the higher; the one taken for it at first is the lower in a third."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0.4, 1, 48)
    evidence = {"true": truth, "wrong sign": -truth, "noise": rng.normal(0, 1, 48)}
    return study(rng, truth, evidence, task=task, rule=rule)


@pytest.mark.parametrize(("task", "rule"), DIRECTED)
def test_a_model_with_the_wrong_sign_stays_at_or_below_chance(task: str, rule: str) -> None:
    rows = {row.label: row for row in rank_models(preferences(0, task, rule), n_draws=20).rows}
    assert rows["true"].bits > 0.1
    assert rows["wrong sign"].bits <= 0
    assert rows["wrong sign"].bits_in_sample <= 1e-9


@pytest.mark.parametrize(("task", "rule"), DIRECTED)
def test_exchanging_the_two_alternatives_changes_nothing(task: str, rule: str) -> None:
    """In half of the pairs the other alternative counts as right: answers and evidence turn round."""
    cells = preferences(1, task, rule)
    turned = np.isin(cells.pair, np.unique(cells.pair)[::2])
    other = replace(
        cells,
        n_correct=np.where(turned, cells.n_trials - cells.n_correct, cells.n_correct),
        evidence={k: np.where(turned, -e, e) for k, e in cells.evidence.items()},
    )
    a, b = (rank_models(c, baselines=False, n_draws=50) for c in (cells, other))
    assert [row.label for row in a.rows] == [row.label for row in b.rows]
    assert a.best == b.best
    for one, two in zip(a.rows, b.rows, strict=True):
        assert (one.bits, one.low, one.high) == pytest.approx(
            (two.bits, two.low, two.high), abs=1e-7
        )
    assert a.ceiling.lower == pytest.approx(b.ceiling.lower, abs=0.02)


def test_signed_evidence_is_refused_where_a_task_has_no_direction() -> None:
    cells = preferences(0)
    with pytest.raises(InputError, match="or a negative one"):
        rank_models(
            replace(cells, tasks={"2ifc": task_named("abx")}, rule=np.full(384, "likelihood"))
        )


def test_several_tasks_and_rules_share_one_model() -> None:
    """Half of the people answer ABX, a quarter by another rule, and a quarter 2IFC: one gain serves all."""
    rng = np.random.default_rng(0)
    truth = lognormal(rng, 60)
    how = [("abx", "independent"), ("abx", "differencing"), ("2ifc", "likelihood")]
    parts = [
        study(rng, truth, {"m": truth}, people=2, n=2000, sd_people=0, task=t, rule=r)
        for t, r in how
    ]
    arrays = ("participant", "image", "pair", "task", "rule", "condition", "level", "criterion")
    counts = ("n_correct", "n_trials")
    both = Cells(
        tasks={name: task_named(name) for name in ("abx", "2ifc")},
        **{n: np.concatenate([getattr(p, n) for p in parts]) for n in (*arrays, *counts)},
        evidence={"m": np.concatenate([p.evidence["m"] for p in parts])},
    )
    fit = fit_model(both, "m")
    assert fit.gain == pytest.approx(1.8, rel=0.02)
    assert fit.exponent == pytest.approx(1, rel=0.02)
    wrong = replace(both, rule=np.where(both.task == "abx", "independent", both.rule))
    right_bits, wrong_bits = (rank_models(c, n_draws=5).rows[0].bits for c in (both, wrong))
    assert right_bits > wrong_bits


CRITERIA = np.array([-0.6, 0.2, 0.9, 1.4])


def with_criteria(seed: int, task: str, n: int) -> list[tuple[str, str, float, str, str]]:
    """Trials of four people with criteria of their own: who, image, distance, right answer, given answer."""
    rng = np.random.default_rng(seed)
    known = task_named(task)
    no, yes = known.answers
    truth, rows = lognormal(rng, 24), []
    for who, z in enumerate(CRITERIA):
        for pair, d in enumerate(1.5 * truth):
            if task == "yes-no":
                hit = ndtr(d - z)
            else:
                k = -np.sqrt(2) * ndtri(ndtr(-z) / 2)
                hit = ndtr((d - k) / np.sqrt(2)) + ndtr((-d - k) / np.sqrt(2))
            for right, p in ((yes, hit), (no, ndtr(-z))):
                said = np.where(rng.random(n) < p, yes, no)
                rows += [(f"p{who}", f"i{pair // 4}", truth[pair], right, str(s)) for s in said]
    return rows


@pytest.mark.parametrize("task", ["yes-no", "same-different"])
def test_hits_are_predicted_at_the_participants_own_criterion(task: str) -> None:
    columns = ["who", "im", "far", "answer", "response"]
    table = pd.DataFrame(with_criteria(0, task, 60), columns=columns)
    table["noise"] = table.groupby(["im", "far"]).far.transform(
        lambda v: hash(v.iloc[0]) % 97 + 1.0
    )
    roles = {"participant": "who", "image": "im", "evidence": {"far": "far", "noise": "noise"}}
    answers = read_trials(table, roles, task=task)
    cells = cells_of(answers)
    assert cells.n_trials.sum() == len(table) / 2
    z = [cells.criterion[cells.participant == f"p{i}"].mean() for i in range(4)]
    assert z == pytest.approx(CRITERIA, abs=0.1)
    assert guesses_of(cells) == pytest.approx(ndtr(-cells.criterion))
    ranking = rank(answers, n_draws=50)
    assert ranking.rows[0].label == "far"
    assert ranking.rows[0].fit.gain == pytest.approx(1.5, rel=0.1)
    assert ranking.ceiling is None
    assert any("criterion" in note for note in ranking.notes)
