"""From journals of any task to results: guess rates, levels in words, criteria, attempts, refusals."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.cli import register
from analysis.data.journals import read_sessions
from analysis.data.presented import timing_ok
from analysis.data.tables import answers_of, counted
from analysis.report.headlines import answers_line
from analysis.report.page.sensitivity import dprime_section
from analysis.report.summary import summary_of
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError
from stimuli_store.journal import Session
from stimuli_store.records.trials import Perturbation, PhaseTiming, Trial, TrialRecord
from stimuli_store.tasks import TASKS, task_named
from stimuli_store.tasks.types import Show, Task
from tests.analysis.builders import (
    analysed,
    header,
    observer_for,
    record_of,
    reported,
    session_trials,
    simulate,
    trial,
    write_journal,
)
from tests.helpers import tiny_bank

pytestmark = pytest.mark.usefixtures("undrawn", "few_draws")

LEVELS = (6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0)
WORDS = {level: "fine" if level < 16 else "coarse" for level in LEVELS}
DUO_TRIO = replace(
    task_named("match-to-sample"),
    name="duo-trio",
    intervals=("given", "one", "two"),
    answers=("one", "two"),
    phases=tuple(
        replace(
            phase,
            shows=tuple(
                replace(s, interval={"sample": "given", "left": "one", "right": "two"}[s.interval])
                for s in phase.shows
            ),
        )
        for phase in task_named("match-to-sample").phases
    ),
    cells=tuple(
        replace(
            cell,
            fills={
                "given": cell.fills["sample"],
                "one": cell.fills["left"],
                "two": cell.fills["right"],
            },
            answer={"left": "one", "right": "two"}[cell.answer],
        )
        for cell in task_named("match-to-sample").cells
    ),
)
LABORATORY = {
    "duo-trio": DUO_TRIO,
    "2ifc": TASKS["2ifc"],
    "oddity": TASKS["oddity"],
    "4afc": TASKS["4afc"],
    "split-screen": TASKS["split-screen"],
    "mad-pair": TASKS["mad-pair"],
}
CRITERION = {name: TASKS[name] for name in ("yes-no", "same-different")}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return tiny_bank(tmp_path_factory.mktemp("bank"), levels=LEVELS)


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A bank with so many targets that the mean over its pairs is a smooth function of the level."""
    names = tuple(f"t{number}" for number in range(12))
    folder = tmp_path_factory.mktemp("rich")
    return tiny_bank(folder, levels=LEVELS, targets=names, size=(8, 8), seeds=(0,))


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A bank with one member in each set, whose sessions have one condition: members and references."""
    return tiny_bank(tmp_path_factory.mktemp("single"), levels=LEVELS, seeds=(0,))


def answered(
    bank: Bank,
    folder: Path,
    task: Task,
    change: Callable[[Trial], Trial] = lambda t: t,
    *,
    n_repeats: int = 6,
    simulated: bool = True,
    **how: object,
) -> tuple[Session, ...]:
    """Sessions of two simulated participants whose trials were changed before they were answered."""
    trials = session_trials(bank, 1, np.random.default_rng(0), task)
    observer = observer_for(bank, trials, task, **how)
    for number in range(2):
        rng = np.random.default_rng([9, number])
        planned = [change(t) for t in session_trials(bank, n_repeats, rng, task)]
        records = []
        for t in planned:
            answer = observer.respond(t, rng)
            records.append(record_of(bank, t, answer.response, answer.rt_s))
        head = header(
            bank,
            f"p{number}",
            len(planned),
            task=task,
            observer=observer.describe() if simulated else None,
        )
        write_journal(folder / f"p{number}.jsonl", head, records)
    return read_sessions(folder)


def relabelled(level: float | str | None, unit: str | None = None) -> Callable[[Trial], Trial]:
    return lambda t: replace(t, factors={**t.factors, "level": level, "unit": unit})


def in_words(t: Trial) -> Trial:
    return relabelled(WORDS[float(t.factors["level"] or 0)])(t)


@pytest.mark.long
@pytest.mark.parametrize("name", LABORATORY)
def test_every_task_has_a_threshold_with_its_own_guess_rate(
    rich: Bank, tmp_path: Path, name: str
) -> None:
    task = LABORATORY[name]
    trials = session_trials(rich, 1, np.random.default_rng(0), task)
    wanted = 1 - 0.4 * (1 - 1 / len(task.answers))
    observer = observer_for(rich, trials, task, mean_p_correct=wanted)
    simulate(rich, observer, tmp_path, participants=2, n_repeats=2, seed=1)
    results = analysed(rich, read_sessions(tmp_path))
    fit = results.headline.fit
    assert fit is not None
    assert fit.function.guess == task.guess
    assert results.tasks == (task,)
    assert results.headline.rule == task.rules[0]
    assert results.true_threshold is not None
    assert fit.low <= results.true_threshold <= fit.high
    assert results.best[0] == "right"
    said = answers_line(results)
    assert said.endswith(f"task {name}, rule {task.rules[0]}, guess rate {task.guess:.3g}")


@pytest.mark.parametrize("change", [in_words, relabelled(None), relabelled(8.0, "px")])
def test_without_a_range_of_numbers_there_is_dprime_by_condition(
    bank: Bank, tmp_path: Path, change: Callable[[Trial], Trial]
) -> None:
    sessions = answered(bank, tmp_path, TASKS["2ifc"], change)
    results, answers = analysed(bank, sessions), answers_of(bank, sessions)
    head = results.headline
    assert head.fit is None
    assert (results.threshold, results.interval, results.true_threshold) == (None, None, None)
    for found, true in zip(head.own_dprimes, head.true_dprimes, strict=True):
        assert found is not None
        assert true is not None
        assert found.low <= true <= found.high
    summary = summary_of(results, answers)
    assert summary["threshold"] is None
    assert len(summary["conditions"][0]["dprime"]) == len(head.levels)
    if change is in_words:
        assert head.levels == ("coarse", "fine")
        assert "<td>coarse</td>" in dprime_section(results)


@pytest.mark.long
@pytest.mark.parametrize("name", CRITERION)
def test_a_criterion_gives_hits_and_false_alarms(single: Bank, tmp_path: Path, name: str) -> None:
    task = CRITERION[name]
    sessions = answered(single, tmp_path, task, n_repeats=24, lapse=0.0)
    results, answers = analysed(single, sessions), answers_of(single, sessions)
    head = results.headline
    assert head.fit is None
    assert results.best[0] == "right"
    rows = [r for s in sessions for r in s.records if r.trial.factors["comparison"] == head.name]
    at = [r for r in rows if r.trial.factors["level"] == head.levels[2]]
    said, right = task.answers[1], [r.trial.answer == task.answers[1] for r in at]
    inside = 0
    for index, (found, true) in enumerate(zip(head.own_dprimes, head.true_dprimes, strict=True)):
        assert found is not None
        assert found.rates is not None
        assert true is not None
        inside += found.low <= true <= found.high
        if index == 2:
            assert found.rates.n_hits == sum(
                r.response == said for r, d in zip(at, right, strict=True) if d
            )
            assert found.rates.n_noise == right.count(False)
    assert inside >= len(head.levels) - 1
    summary = summary_of(results, answers)
    assert summary["conditions"][0]["rates"][2]["n_noise"] == right.count(False)
    assert (
        f"false alarms {summary['conditions'][0]['rates'][2]['n_false_alarms']} of"
        in dprime_section(results)
    )


def run(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    args = parser.parse_args(["analyse", *map(str, words)])
    assert args.run(args) == 0
    return capsys.readouterr().out


@pytest.mark.long
def test_the_terminal_says_dprime_and_rates(
    bank: Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(bank, tmp_path, TASKS["yes-no"], in_words)
    said = run(capsys, tmp_path, "--bank", bank.path, "--out", tmp_path / "out")
    assert "task yes-no, rule likelihood" in said
    assert "reference-member, level coarse" in said
    assert "hits " in said
    assert "false alarms" in said
    assert "of the simulated observers: inside the interval" in said
    assert "best models right and wrong, not told apart" in said


@pytest.mark.long
def test_sessions_of_several_tasks_are_conditions_and_can_be_chosen_from(
    single: Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("2ifc", "yes-no"):
        (tmp_path / name).mkdir()
        answered(single, tmp_path / name, TASKS[name], n_repeats=2)
    (tmp_path / "2ifc" / "p0.jsonl").rename(tmp_path / "a.jsonl")
    (tmp_path / "yes-no" / "p1.jsonl").rename(tmp_path / "b.jsonl")
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    results = analysed(single, read_sessions(files))
    assert [task.name for task in results.tasks] == ["2ifc", "yes-no"]
    for path, name in zip(files, ("2ifc", "yes-no"), strict=True):
        alone = analysed(single, read_sessions(path)).conditions
        own = [c for c in results.conditions if c.task == TASKS[name]]
        assert [c.n_correct.tolist() for c in own] == [c.n_correct.tolist() for c in alone]
    words = ["--bank", single.path, "--out", tmp_path / "out"]
    assert "task 2ifc, rule likelihood, guess rate 0.5; task yes-no" in run(capsys, *files, *words)
    one = run(capsys, *files, *words, "--task", "yes-no")
    assert "task yes-no" in one
    assert "2ifc" not in one
    with pytest.raises(
        InputError, match=r"unknown task of these sessions 'yesno'; did you mean 'yes-no'"
    ):
        run(capsys, *files, *words, "--task", "yesno")


def test_tasks_of_one_name_and_other_cells_are_several(bank: Bank, tmp_path: Path) -> None:
    one, two = answered(bank, tmp_path, TASKS["2ifc"], n_repeats=1)
    task = one.header.task
    turned = tuple(
        replace(c, answer=task.answers[1 - task.answers.index(c.answer)]) for c in task.cells
    )
    other = replace(two, header=replace(two.header, task=replace(task, cells=turned)))
    with pytest.raises(InputError, match="some with one name and different cells"):
        analysed(bank, [one, other])


@pytest.mark.long
def test_people_and_simulated_observers_are_never_in_one_fit(single: Bank, tmp_path: Path) -> None:
    one, two = answered(single, tmp_path, TASKS["2ifc"], n_repeats=2)
    person = replace(two, header=replace(two.header, observer=None))
    results = reported(single, [one, person], tmp_path / "out")
    for session, simulated in ((person, False), (one, True)):
        own = [c for c in results.conditions if c.simulated == simulated]
        alone = analysed(single, [session]).conditions
        assert [c.n_correct.tolist() for c in own] == [c.n_correct.tolist() for c in alone]
        assert [c.estimate for c in own] == [c.estimate for c in alone]
    assert [c.simulated for c in results.conditions] == [False, True]
    assert results.headline.true_threshold is None
    assert results.ranking == analysed(single, [person]).ranking
    told = "1 session of people (32 trials) and 1 simulated session (32 trials) are analysed apart"
    assert told in (tmp_path / "out" / "report.html").read_text()


def attempt(number: int, response: str | None, *flags: str) -> TrialRecord:
    planned = replace(trial(("r", "m")), index=3, attempt=number)
    return TrialRecord(
        trial=planned,
        response=response,
        correct=response == planned.answer,
        rt_s=0.5 if response else None,
        flags=flags,
    )


@pytest.mark.parametrize(
    ("attempts", "chosen"),
    [
        ([attempt(0, "A")], 0),
        ([attempt(0, "A", "dropped_frames"), attempt(1, "B")], 1),
        ([attempt(0, None, "no_response"), attempt(1, "B"), attempt(2, None, "no_response")], 1),
        ([attempt(0, None), attempt(1, None)], 1),
        ([attempt(0, "A"), attempt(1, "B", "practice")], 0),
        ([attempt(0, "A", "practice")], None),
    ],
)
def test_the_last_complete_attempt_counts(attempts: list[TrialRecord], chosen: int | None) -> None:
    assert [r.trial.attempt for r in counted(attempts)] == ([] if chosen is None else [chosen])


@pytest.mark.long
def test_attempts_stay_in_the_table_and_out_of_the_fit(bank: Bank, tmp_path: Path) -> None:
    (session, _) = answered(bank, tmp_path, TASKS["2ifc"], n_repeats=1)
    first = session.records[0]
    again = replace(first, trial=replace(first.trial, attempt=1))
    missed = replace(first, response=None, correct=False, rt_s=None, flags=("no_response",))
    more = replace(session, records=(missed, *session.records[1:], again))
    results, answers = analysed(bank, [more]), answers_of(bank, [more])
    assert len(answers) == len(session.records) + 1
    assert len(answers.kept) == len(session.records) == results.n_trials
    assert answers.table.excluded.tolist().count("shown again; no answer") == 1
    assert answers.table.attempt.max() == 1


def test_factors_and_stimuli_are_columns(bank: Bank, tmp_path: Path) -> None:
    def with_factors(t: Trial) -> Trial:
        return replace(t, factors={**t.factors, "place": "left", "answer": 3.0}, block=2, track="t")

    sessions = answered(bank, tmp_path, TASKS["mad-pair"], with_factors, n_repeats=1)
    table = answers_of(bank, sessions).table
    first = sessions[0].records[0].trial
    row = table.iloc[0]
    assert {f"stimulus_{role}" for role in first.stimuli} <= set(table)
    assert row.stimulus_reference == first.stimuli["reference"]
    assert [row[f"interval_{n}"] for n in ("middle", "left", "right")] == [
        first.intervals[n] for n in ("middle", "left", "right")
    ]
    assert (row.place, row.factor_answer, row.answer) == ("left", 3.0, first.answer)
    assert (row.block, row.track, row.target) == (2, "t", first.factors["target"])


@pytest.mark.parametrize(("shown", "verified"), [("made", True), ("0" * 64, False)])
def test_a_made_frame_is_verified_by_its_id(
    bank: Bank, tmp_path: Path, shown: str, verified: bool
) -> None:
    target = next(iter(bank.references))
    how = Perturbation(target=target, distortion="unit", amplitude=1.0, dither="none", seed=0)
    planned = replace(trial((target, "made")), made={"made": how})
    record = record_of(bank, planned, "A", 0.5)
    hashes = {**record.frame_sha256, "B": shown}
    head = header(bank, "a", 1, booth={"adapter": "psychopy"})
    write_journal(tmp_path / "a.jsonl", head, [replace(record, frame_sha256=hashes)])
    table = answers_of(bank, read_sessions(tmp_path)).table
    assert table.frames_verified.tolist() == [verified]
    assert table.evidence_right.isna().all()  # the bank holds no such distortion


def test_a_picture_that_stays_until_the_answer_has_no_planned_frames() -> None:
    own = replace(
        TASKS["pair"],
        phases=(
            TASKS["pair"].phases[0],
            replace(TASKS["pair"].phases[1], name="look", ms=None),
        ),
    )
    assert own.phases[1].shows[0] == Show(interval="left", place="left")
    planned = trial(("r", "m"), task=own)
    iti = PhaseTiming(name="iti", onset_s=0.0, n_frames=30, planned_frames=30)
    look = PhaseTiming(name="look", onset_s=0.5, n_frames=71)
    record = TrialRecord(trial=planned, response="left", correct=True, rt_s=1.0, timing=(iti, look))
    assert timing_ok(record) is True
    late = replace(record, timing=(iti, replace(look, dropped=(4,))))
    assert timing_ok(late) is False


def test_pictures_cut_short_by_the_answer_are_on_time() -> None:
    planned = trial(("r", "m"), task=TASKS["pair"])
    frames = [("iti", 30, 30), ("pictures", 30, 30), ("respond", 120, 12)]
    timing = tuple(
        PhaseTiming(name=n, onset_s=0.0, n_frames=k, planned_frames=p) for n, p, k in frames
    )
    record = TrialRecord(trial=planned, response="left", correct=True, rt_s=1.0, timing=timing)
    assert timing_ok(record) is True
    shorter = (timing[0], replace(timing[1], n_frames=29), timing[2])
    assert timing_ok(replace(record, timing=shorter)) is False
    last = replace(
        record,
        trial=replace(planned, phases=planned.phases[:2]),
        timing=(timing[0], replace(timing[1], n_frames=12)),
    )
    assert timing_ok(last) is True


@pytest.mark.long
def test_levels_of_several_units_are_conditions(bank: Bank, tmp_path: Path) -> None:
    def either(t: Trial) -> Trial:
        return replace(t, factors={**t.factors, "unit": "deg" if t.index % 2 else "px"})

    sessions = answered(bank, tmp_path, TASKS["2ifc"], either, n_repeats=1)
    conditions = analysed(bank, sessions).conditions
    assert {c.name: c.unit for c in conditions} == {
        f"{comparison} ({unit})": unit
        for comparison in ("reference-member", "member-member")
        for unit in ("deg", "px")
    }
