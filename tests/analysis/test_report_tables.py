"""`stimsynth analyse` of a table without a bank: results, conditions, tasks, rules, and what is refused."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import contrasts, fit, fit_psychometric, population_dprime, rank, read_trials
from analysis.cli import register
from analysis.observers.links import link_of
from analysis.report.formatting import bounds
from analysis.report.headlines import statements_of
from analysis.report.results import Results, analyse
from stimuli_store.errors import InputError
from tests.analysis.builders import header, record_of, session_trials, write_journal
from tests.helpers import tiny_bank

pytestmark = pytest.mark.usefixtures("undrawn", "few_draws")

ROLES = """\
participant = "subj"
image = "scene"
level = "contrast"
correct = "acc"

[evidence]
model = "distance"
"""
TASK = '\n[every_trial]\ntask = "{}"\nunit = "Michelson contrast"\n'


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    """Trials of three people and three scenes in two conditions, a few without an answer."""
    rng = np.random.default_rng(0)
    rows = pd.MultiIndex.from_product(
        [
            ["P1", "P2", "P3"],
            ["near", "far"],
            ["wood", "sea", "town"],
            [0.1, 0.2, 0.4, 0.8],
            range(6),
        ],
        names=["subj", "place", "scene", "contrast", "n"],
    ).to_frame(index=False)
    threshold = np.where(rows.place == "near", 0.2, 0.4)
    p = link_of(read_trials([[1, 1, 2]], task="2ifc").task).p_correct(
        0.95 * (rows.contrast / threshold).to_numpy() ** 2
    )
    rows["acc"] = np.where(rng.random(len(rows)) < p, "right", "wrong")
    rows["distance"] = rows.contrast / threshold
    rows.loc[:2, "acc"] = None
    return rows.drop(columns="n")


@pytest.fixture(scope="module")
def folder(trials: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tables")
    trials.to_csv(made / "trials.csv", index=False)
    (made / "roles.toml").write_text(ROLES + TASK.format("2ifc"))
    (made / "no_task.toml").write_text(ROLES)
    (made / "journal").mkdir()
    bank = tiny_bank(made)
    some = session_trials(bank, 1, np.random.default_rng(0))[:6]
    records = [record_of(bank, t, t.answer, 0.5) for t in some]
    write_journal(made / "journal" / "sub-a.jsonl", header(bank, "a", len(some)), records)
    (made / "both.csv").write_text(
        "task,level,correct\n" + "".join(f"{t},{x},1\n" for t in ("2ifc", "abx") for x in (1, 2))
    )
    return made


def run(folder: Path, *words: str) -> dict[str, Any]:
    """Run the command in a folder of tables and return results.json."""
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    files = (".csv", ".toml", ".h5", ".jsonl", "journal")
    named = [str(folder / word) if word.endswith(files) else word for word in words]
    args = parser.parse_args(["analyse", *named, "--out", str(folder / "out")])
    assert args.run(args) == 0
    return json.loads((folder / "out" / "results.json").read_text())


@pytest.mark.long
def test_a_table_gives_thresholds_ranking_and_exclusions(
    folder: Path, trials: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    results = run(folder, "trials.csv", "--roles", "roles.toml")
    said = capsys.readouterr().out
    assert results["n_trials"] == len(trials)
    assert results["exclusions"] == {"no answer": 3}
    assert results["participants"] == ["P1", "P2", "P3"]
    assert results["best_models"] == ["model"]
    assert results["pin"] == ""
    (condition,) = results["conditions"]
    known = trials.dropna(subset="acc").assign(right=lambda t: t.acc == "right")
    counts = known.groupby("contrast").right.agg(["sum", "size"])
    assert condition["n_correct"] == counts["sum"].tolist()
    own = fit_psychometric(counts.index, counts["sum"], counts["size"])
    assert condition["by_image"][0]["name"] == "sea"
    assert [len(condition[by]) for by in ("by_participant", "by_image")] == [3, 3]
    assert results["true_threshold"] is None
    assert condition["threshold_of_the_curve"] == pytest.approx(own.threshold)
    assert f"Michelson contrast {results['threshold']:.3g}" in said
    assert results["for_whom"] == "new people and new images"
    assert "conditions are pooled over place; --by COLUMN analyses its values apart" in said
    page = (folder / "out" / "report.html").read_text()
    for heading in (
        "Participants",
        "Images",
        "Checks of the answers",
        "Data",
        "Origin and software",
    ):
        assert heading in page
    assert "Stimuli and certificates" not in page


@pytest.mark.long
def test_each_interval_of_dprime_says_for_whom_it_speaks(
    folder: Path, trials: pd.DataFrame
) -> None:
    (condition,) = run(folder, "trials.csv", "--roles", "roles.toml")["conditions"]
    known = trials.dropna(subset="acc")
    page = (folder / "out" / "report.html").read_text()
    for place, (_, part) in enumerate(known.groupby("contrast")):
        cells = (
            part.assign(right=part.acc == "right").groupby(["subj", "scene"], observed=True).right
        )
        told = condition["dprime_population"][place]
        found = population_dprime(
            *(np.array(v) for v in zip(*cells.sum().index, strict=True)),
            cells.sum(),
            cells.size(),
            task="2ifc",
        )
        assert told["low"] == pytest.approx(found.low)
        assert told["for_whom"] == "new people and new images"
        row = f"<td>{bounds(found.low, found.high, decimals=2)}</td><td>{found.for_whom}</td>"
        assert row in page
    assert condition["dprime_for_whom"] == "these people and these images"


@pytest.mark.long
def test_columns_are_conditions_and_are_compared(
    folder: Path, trials: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    results = run(folder, "trials.csv", "--roles", "roles.toml", "--by", "place")
    assert [c["name"] for c in results["conditions"]] == ["far", "near"]
    far, near = (c["threshold"] for c in results["conditions"])
    assert near < far
    (contrast,) = results["contrasts"]
    known = read_trials(folder / "trials.csv", folder / "roles.toml")
    expected = contrasts(fit(known, by=["participant", "place"]), "place")["far", "near"]
    assert contrast["n"] == 3
    assert contrast["estimate"]["value"] == pytest.approx(expected.estimate.value)
    assert "95 % interval" in capsys.readouterr().out.split("far / near")[1]
    assert sum(sum(c["n_trials"]) for c in results["conditions"]) == len(trials) - 3


@pytest.mark.long
def test_a_table_without_a_task_gets_one_from_the_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    without = run(folder, "trials.csv", "--roles", "no_task.toml")
    said = capsys.readouterr().out
    assert "no task is stated: the guess rate is taken to be 0.5" in said
    assert without["not_ranked"].startswith("no task is stated")
    stated = run(folder, "trials.csv", "--roles", "no_task.toml", "--task", "2ifc")
    assert stated["tasks"] == ["2ifc"]
    assert stated["threshold"] == without["threshold"]


def test_several_tasks_are_conditions_or_chosen_from(folder: Path) -> None:
    both = run(folder, "both.csv")
    assert [c["name"] for c in both["conditions"]] == ["all answers (2ifc)", "all answers (abx)"]
    assert [c["task"] for c in both["conditions"]] == ["2ifc", "abx"]
    assert run(folder, "both.csv", "--task", "abx")["tasks"] == ["abx"]


@pytest.fixture(scope="module")
def own_rule(folder: Path) -> Results:
    """The results of the table as ABX, under the rule of the task."""
    return analyse(read_trials(folder / "trials.csv", folder / "no_task.toml", task="abx"))


@pytest.mark.long
def test_all_rules_are_ranked_in_one_call(
    folder: Path, own_rule: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("trials.csv", "--roles", "no_task.toml", "--task", "abx")
    every = run(folder, *words, "--rule", "all")
    said = capsys.readouterr().out
    rules = [found["rule"] for found in every["rankings"]]
    assert rules == ["independent", "differencing", "likelihood"]
    assert [f"under the rule {rule}" in said for rule in rules] == [True] * 3
    assert every["threshold"] == own_rule.threshold
    (condition,) = every["conditions"]
    by_rule = {condition["rule"]: condition, **condition["dprime_by_rule"]}
    total = np.array(condition["n_trials"])
    shares = np.clip(condition["n_correct"], 0.5, total - 0.5) / total
    for rule in rules:
        found = link_of(own_rule.tasks[0], rule).dprime(shares)
        assert by_rule[rule]["dprime"] == pytest.approx(found.tolist())


@pytest.mark.long
def test_another_rule_is_that_of_all_results(folder: Path, own_rule: Results) -> None:
    answers = read_trials(folder / "trials.csv", folder / "no_task.toml", task="abx")
    results = analyse(answers, rule="differencing")
    assert list(own_rule.rankings) == ["independent"]
    assert results.rankings == {"differencing": rank(answers, rule="differencing")}
    assert [c.rule for c in results.conditions] == ["differencing"]
    assert results.interval == own_rule.interval


def test_trials_without_a_difference_at_a_level_of_their_own_are_those_of_all_levels() -> None:
    rows = [("no", 0.0, k < 30) for k in range(40)]
    rows += [
        ("yes", level, k < right) for level, right in ((1.0, 20), (2.0, 35)) for k in range(40)
    ]
    frame = pd.DataFrame(rows, columns=["answer", "level", "correct"])
    results = analyse(read_trials(frame, task="yes-no"))
    (condition,) = results.conditions
    assert [s.short for s in statements_of(results)] == ["d'", "d'"]
    assert (results.rankings, results.not_ranked) == ({}, "")
    none, *others = condition.own_dprimes
    assert none is None
    assert condition.fit is None
    for found, hits in zip(others, (20, 35), strict=True):
        assert found is not None
        assert found.rates is not None
        assert (found.rates.n_hits, found.rates.n_false_alarms, found.rates.n_noise) == (
            hits,
            10,
            40,
        )


def test_trials_without_a_level_are_not_in_the_fit() -> None:
    frame = pd.DataFrame(
        {"level": [1.0, 2.0, 4.0, 8.0] * 30, "correct": [0, 1, 1, 1] * 20 + [1, 0, 1, 1] * 10}
    )
    more = pd.concat([frame, pd.DataFrame({"level": [np.nan] * 12, "correct": [0] * 12})])
    with_more, without = (analyse(read_trials(t, task="2ifc")) for t in (more, frame))
    assert with_more.threshold == without.threshold
    assert with_more.headline.levels[-1] is None
    assert with_more.headline.n_trials[-1] == 12


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "nothing": ((), "nothing to analyse; give a table of trials, or session journals"),
    "roles alone": (("--roles", "roles.toml"), "give the table that --roles is about"),
    "roles as data": (("roles.toml",), "roles.toml holds roles, not trials; give the table too"),
    "a table as roles": (
        ("trials.csv", "--roles", "trials.csv"),
        "is a table; roles are a TOML file",
    ),
    "a table as journal": (
        ("trials.csv", "--bank", "tiny-1.0.0.h5"),
        "trials.csv is a table of trials, not a session journal",
    ),
    "journals without a bank": (("journal",), "holds session journals, which need the bank"),
    "a journal without a bank": (
        ("journal/sub-a.jsonl",),
        "holds session journals, which need the bank",
    ),
    "journals with roles": (
        ("journal", "--bank", "tiny-1.0.0.h5", "--roles", "roles.toml"),
        "--roles explains the columns of a table, and --bank goes with session journals",
    ),
    "journals with roles alone": (
        ("journal", "--roles", "roles.toml"),
        "BANK.h5, and no --roles",
    ),
    "two tables": (("trials.csv", "both.csv"), "2 tables were given; give one, or a folder"),
    "a rule": (
        ("both.csv", "--task", "abx", "--rule", "indepndent"),
        "unknown decision rule 'indepndent'; did you mean 'independent'?",
    ),
    "all, misspelt": (("both.csv", "--task", "abx", "--rule", "al"), "did you mean 'all'?"),
    "a task that is not there": (
        ("both.csv", "--task", "abxx"),
        "unknown task of this table 'abxx'; did you mean 'abx'?",
    ),
    "no task at all": (
        ("trials.csv", "--roles", "no_task.toml", "--task", "oddty"),
        "did you mean 'oddity'?",
    ),
    "a column": (
        ("trials.csv", "--roles", "roles.toml", "--by", "plce"),
        "unknown column 'plce'; did you mean 'place'?",
    ),
    "a threshold below chance": (
        ("both.csv", "--p", "0.4"),
        "must be a number between the guess rate, 0.5, and 1",
    ),
    "a seed": (("both.csv", "--seed", "-1"), "--seed must be 0 or more"),
    "no file": (("no.csv",), "no.csv does not exist"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_belong_together_is_refused_in_a_sentence(folder: Path, name: str) -> None:
    words, message = REFUSED[name]
    with pytest.raises(InputError) as error:
        run(folder, *words)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


SMALL: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "one trial": lambda t: t.head(4).tail(1),
    "one participant": lambda t: t[t.subj == "P1"],
    "one scene": lambda t: t[t.scene == "sea"],
    "one level": lambda t: t[t.contrast == 0.1],
    "every answer right": lambda t: t.assign(acc="right"),
    "every answer wrong": lambda t: t.assign(acc="wrong"),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_small_or_odd_study_has_a_report(trials: pd.DataFrame, tmp_path: Path, name: str) -> None:
    SMALL[name](trials).to_csv(tmp_path / "trials.csv", index=False)
    (tmp_path / "roles.toml").write_text(ROLES + TASK.format("2ifc"))
    results = run(tmp_path, "trials.csv", "--roles", "roles.toml")
    assert results["headline"]["statements"]
    for condition in results["conditions"]:
        assert (condition["threshold"] is None) == (condition["interval"] is None)
        if condition["interval"] is not None:
            low, high = condition["interval"]
            assert low is not None or high is not None
