"""Checks of the answers behind a ranking: published tables, what each finds, and what it leaves alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress, norm

from analysis.cli.analyse import summary_lines
from analysis.data.answers import Answers
from analysis.data.journals import read_sessions
from analysis.data.reading import read_trials
from analysis.data.tables import answers_of
from analysis.ranking.answer_checks import interval_bias, marginal_homogeneity
from analysis.ranking.course_checks import common_odds_ratio
from analysis.ranking.diagnose import diagnose
from analysis.ranking.diagnostics import Diagnostic
from analysis.report.results import analyse
from analysis.report.summary import summary_of
from stimuli_store.tasks import TASKS
from tests.analysis.builders import ABX, header, record_of, session_trials, write_journal
from tests.helpers import tiny_bank

#: Admitted and rejected men, then women, by department (Bickel, Hammel & O'Connell 1975, Science 187, 398).
BERKELEY = [
    (512, 313, 89, 19),
    (353, 207, 17, 8),
    (120, 205, 202, 391),
    (138, 279, 131, 244),
    (53, 138, 94, 299),
    (22, 351, 24, 317),
]


def test_common_odds_ratio_of_the_admissions_to_berkeley() -> None:
    """R's mantelhaen.test gives 0.9046968 with the interval 0.7719074 to 1.0603298, and χ² = 1.5246."""
    rows, second = [], []
    for department, (a, b, c, d) in enumerate(BERKELEY):
        rows += [(department, a, a + b), (department, c, c + d)]
        second += [True, False]
    table = pd.DataFrame(rows, columns=["at", "n_correct", "n_trials"])
    found = common_odds_ratio(table, np.array(second), ["at"])
    assert found is not None
    assert found[:3] == pytest.approx((0.9046968, 0.7719074, 1.0603298), abs=1e-7)
    assert found[3] == pytest.approx(0.21692, abs=1e-4)


def test_marginal_homogeneity_of_the_vision_of_7477_women() -> None:
    """Unaided distance vision of right and left eyes (Stuart 1953, 1955): χ² = 11.96 with 3 degrees."""
    table = [[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]]
    value, free = marginal_homogeneity(np.array(table))
    assert value == pytest.approx(11.96, abs=0.01)
    assert free == 3


def test_words_that_stand_for_the_answers_of_a_task_have_the_same_bias() -> None:
    rng = np.random.default_rng(6)
    right, said = rng.integers(0, 2, 200), (rng.random(200) < 0.7).astype(int)
    found = []
    for words in (["first", "second"], ["A side", "B side"]):
        names = np.array(words)
        table = pd.DataFrame({"answer": names[right], "response": names[said], "level": 1.0})
        found.append(interval_bias(read_trials(table, task="2ifc").kept, {"2ifc": TASKS["2ifc"]}))
    assert "second" in found[0].sentence
    assert found[0].sentence.replace("second", "B side") == found[1].sentence


def trials(
    seed: int, spoil: Callable[[pd.DataFrame, np.random.Generator], None] | None = None, **how: Any
) -> Answers:
    """2IFC answers of six people to five images at four levels, spoilt in some way before they are scored."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(range(6), range(5), range(4), range(8), indexing="ij"), -1)
    person, image, level, _ = grid.reshape(-1, 4).T
    table = pd.DataFrame({"participant": person, "image": image, "level": level + 1.0})
    table["participant"] = "p" + table.participant.astype(str)
    table["image"] = "im" + table.image.astype(str)
    table["p"] = np.array([0.6, 0.75, 0.9, 0.99])[level]
    table["answer"] = rng.choice(["first", "second"], len(table))
    table["order"] = 0
    for _, rows in table.groupby("participant").groups.items():
        table.loc[rows, "order"] = rng.permutation(len(rows))
    table["dropped_frames"] = (rng.random(len(table)) < 0.1).astype(int)
    table["odd"] = rng.choice(["original", "synthesized"], len(table))
    if spoil:
        spoil(table, rng)
    other = np.where(table.answer == "first", "second", "first")
    right = rng.random(len(table)) < table.p
    table["response"] = table.get("said", pd.Series(np.where(right, table.answer, other)))
    return read_trials(table.drop(columns=["p", *({"said"} & set(table))]), task="2ifc", **how)


def found(answers: Answers) -> dict[str, Diagnostic]:
    return {check.name: check for check in diagnose(answers)}


def swapped_keys(table: pd.DataFrame, _: np.random.Generator) -> None:
    table.loc[table.participant == "p2", "p"] = 1 - table.p


def one_image_misleads(table: pd.DataFrame, _: np.random.Generator) -> None:
    table.loc[table.image == "im3", "p"] = 0.2


def one_key_too_often(table: pd.DataFrame, rng: np.random.Generator) -> None:
    table["said"] = np.where(rng.random(len(table)) < 0.6, "second", table.answer)


def some_look_away(table: pd.DataFrame, _: np.random.Generator) -> None:
    table.loc[table.participant == "p4", "p"] = table.p.clip(upper=0.7)


def people_tire(table: pd.DataFrame, _: np.random.Generator) -> None:
    table["p"] -= 0.3 * table.order / table.order.max()


def late_frames_show_it(table: pd.DataFrame, _: np.random.Generator) -> None:
    table.loc[table.dropped_frames > 0, "p"] -= 0.35


def artefacts_stand_out(table: pd.DataFrame, _: np.random.Generator) -> None:
    table["p"] -= np.where(table.odd == "original", 0.2, 0.0)


@pytest.mark.parametrize(
    ("spoil", "name", "said"),
    [
        (swapped_keys, "below chance", "p2 is right in"),
        (swapped_keys, "below chance", "are the keys swapped?"),
        (one_image_misleads, "below chance", "image im3 is right in"),
        (one_key_too_often, "interval bias", "'second' is given in"),
        (some_look_away, "lapses", "p4 errs in"),
        (people_tire, "drift", "falls by"),
        (late_frames_show_it, "timing", "of the answered trials had a frame that came late"),
        (artefacts_stand_out, "oddball asymmetry", "if the odd picture is 'synthesized'"),
    ],
)
def test_what_is_wrong_is_found_and_named(spoil: Any, name: str, said: str) -> None:
    checks = found(trials(0, spoil))
    assert checks[name].alarming
    assert said in checks[name].sentence
    assert checks[name].p < 0.01


def test_the_interval_of_a_fall_is_that_of_the_fall() -> None:
    """Its words have the sign of the sentence; its numbers are those of the change."""
    drift = found(trials(0, people_tire))["drift"]
    assert drift.low < drift.value < drift.high < 0
    said = f"falls by {-100 * drift.value:.1f} % from the first to the last trial of a session, "
    assert (
        said + f"95 % interval [{-100 * drift.high:.1f} %, {-100 * drift.low:.1f} %]"
        in drift.sentence
    )


def test_good_answers_alarm_rarely_and_intervals_hold_the_truth() -> None:
    checks = [found(trials(seed)) for seed in range(12)]
    alarms = [c.name for one in checks for c in one.values() if c.alarming]
    assert len(alarms) <= 3  # of 72 at 1 %
    drifts = [one["drift"] for one in checks]
    assert sum(d.low <= 0 <= d.high for d in drifts) >= 10
    ratios = [one["oddball asymmetry"] for one in checks]
    assert sum(r.low <= 1 <= r.high for r in ratios) >= 10
    assert {one["below chance"].sentence.split(" ")[0] for one in checks} == {"no"}


@pytest.mark.parametrize("numbered", [True, False])
def test_blocks_of_conditions_and_the_order_of_rows_are_no_drift(numbered: bool) -> None:
    """The near condition is easier and comes first; nobody learns or tires."""
    rng = np.random.default_rng(3)
    rows = [
        (who, at, "near" if at < 60 else "far", rng.random() < (0.9 if at < 60 else 0.6))
        for who in "abcdef"
        for at in range(120)
    ]
    table = pd.DataFrame(rows, columns=["participant", "order", "place", "correct"])
    if numbered:
        drift = found(read_trials(table, task="2ifc"))["drift"]
        assert drift.low < 0 < drift.high and not drift.alarming
        assert "each value of place by itself" in drift.sentence
    else:
        rows_only = table.drop(columns="order").sort_values(["participant", "correct"])
        drift = found(read_trials(rows_only, task="2ifc"))["drift"]
        assert drift.sentence.startswith("not checked, since no column (role order)")


def test_drift_is_measured_in_proportion_correct() -> None:
    values = [found(trials(seed, people_tire))["drift"].value for seed in range(6)]
    assert np.mean(values) == pytest.approx(-0.3, abs=0.05)


@pytest.mark.parametrize("n_people", [2, 3, 8])
def test_people_with_the_same_drift_have_the_error_of_their_answers(n_people: int) -> None:
    """Slopes that do not vary say nothing of other sessions; slope and p are those of scipy."""
    right = np.random.default_rng(4).random(40) < 0.75
    right[20:] &= np.random.default_rng(5).random(20) < 0.9
    rows = [
        (f"P{who}", place, 1.0, right[place], place + who * 0.5)
        for who in range(n_people)
        for place in range(40)
    ]
    table = pd.DataFrame(rows, columns=["participant", "order", "level", "correct", "rt"])
    drift = found(read_trials(table, task="2ifc"))["drift"]
    at = np.linspace(-0.5, 0.5, 40)
    slope, share = float(linregress(at, right).slope), (right.sum() + 1) / 42
    error = np.sqrt(share * (1 - share) / (at**2).sum() / n_people)
    assert drift.value == pytest.approx(slope)
    assert drift.p == pytest.approx(2 * norm.sf(abs(slope) / error), rel=1e-9)
    assert drift.high - drift.low == pytest.approx(2 * norm.isf(0.025) * error)


def test_people_who_are_always_right_or_always_wrong_do_not_drift() -> None:
    rows = [(who, place, who == "a") for who in "ab" for place in range(20)]
    table = pd.DataFrame(rows, columns=["participant", "order", "correct"])
    drift = found(read_trials(table, task="2ifc"))["drift"]
    assert drift.p == pytest.approx(1.0) and not drift.alarming


def test_checks_that_cannot_be_made_say_why() -> None:
    counts = read_trials([[1, 6, 10], [2, 9, 10]], task="2ifc")
    said = {name: check.sentence for name, check in found(counts).items() if name != "below chance"}
    assert all(sentence.startswith("not checked, since ") for sentence in said.values())
    assert len(said) == 5


def test_roles_of_intervals_say_which_picture_is_odd() -> None:
    """In oddity, the role that fills one interval of three is the odd one, whichever it is."""
    rng = np.random.default_rng(0)
    rows = []
    for index in range(400):
        odd = index % 2  # 0: the lower stimulus is odd
        answer = int(rng.integers(3))
        shown = ["low" if (i == answer) == (odd == 0) else "high" for i in range(3)]
        right = rng.random() < (0.8 if odd else 0.5)
        rows.append((*shown, "low", "high", str(answer + 1), right))
    names = [*(f"interval_{i}" for i in "123"), "stimulus_p", "stimulus_q", "answer", "correct"]
    check = found(read_trials(pd.DataFrame(rows, columns=names), task="oddity"))[
        "oddball asymmetry"
    ]
    assert check.alarming
    assert "if the odd picture is the second of its pair as if it is the first" in check.sentence
    assert "'q'" not in check.sentence
    assert check.value == pytest.approx((0.8 / 0.2) / (0.5 / 0.5), rel=0.4)


def test_swapped_keys_are_told_in_the_terminal(tmp_path: Path) -> None:
    """Two people who give the other of two answers in every trial, as if the keys were exchanged."""
    bank = tiny_bank(tmp_path)
    trials = session_trials(bank, 2, np.random.default_rng(0))
    for who in ("a", "b"):
        wrong = [next(x for x in ABX.answers if x != t.answer) for t in trials]
        records = [record_of(bank, t, said, 0.5) for t, said in zip(trials, wrong, strict=True)]
        write_journal(tmp_path / f"{who}.jsonl", header(bank, who, len(trials)), records)
    answers = answers_of(bank, read_sessions(tmp_path))
    results = analyse(answers)
    lines = [line.strip() for line in summary_lines(results)]
    assert (
        "reliably below chance: a is right in 0 of 48 trials (chance 50 %); b is right in 0 of 48 "
        "trials (chance 50 %); are the keys swapped?"
    ) in lines
    checks = summary_of(results, answers)["checks"]
    assert [check["name"] for check in checks if check["alarming"]] == ["below chance"]
