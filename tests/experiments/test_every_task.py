"""`stimsynth run --simulate` for every declared task, and for one that only a design declares."""

import pytest

from experiments.session_plan import journal_path
from stimuli_store.bank.reading import open_bank
from stimuli_store.journal import read_session
from stimuli_store.tasks import TASKS
from tests.experiments.helpers import bank_of_kinds, write_design
from tests.experiments.test_cli import typed

SCREEN = "[screen]\nsize = [200, 160]\n"
DUO_TRIO = (
    SCREEN
    + """
[task]
name = "duo-trio"
roles = [{ name = "p", at = 0 }, { name = "q", at = 1 }]
intervals = ["sample", "one", "two"]
answers = ["one", "two"]
phases = [
  { name = "iti", ms = 200 },
  { name = "sample", ms = 100, shows = [{ interval = "sample" }] },
  { name = "gap", ms = [200, 300] },
  { name = "one", ms = 100, shows = [{ interval = "one" }] },
  { name = "gap_2", ms = 200 },
  { name = "two", ms = 100, shows = [{ interval = "two" }], listens = true },
  { name = "respond", listens = true },
]
cells = [
  { fills = { sample = "p", one = "p", two = "q" }, answer = "one" },
  { fills = { sample = "p", one = "q", two = "p" }, answer = "two" },
]
rules = ["differencing", "likelihood"]
"""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    bank_of_kinds(folder)
    return folder


def simulated(folder, name, task, comparison, repeats, extra="", participant="S01"):
    bank = open_bank(folder / "kinds-1.0.0.h5")
    design = folder / f"{task}-{name}.toml"
    changes = {"comparisons": f'["{comparison}"]', "repeats": str(repeats)}
    write_design(design, bank, extra, **changes)
    bank.close()
    data = folder / f"{task}-{name}"
    words = ["--participant", participant, "--simulate", "right", "--data", str(data)]
    assert typed([str(design), *words, "--mean-correct", "0.7"]) == 0
    return read_session(journal_path(data, participant, 1, task))


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_simulated(folder, task):
    comparison = "mad-pair" if task == "mad-pair" else "reference-distortion"
    n_cells = len(TASKS[task].cells)
    amplitudes = "" if task == "mad-pair" else "amplitudes = [0.5, 0.75]\n"
    extra = f'{amplitudes}{SCREEN}[task]\nname = "{task}"\n'
    session = simulated(folder, "all", task, comparison, n_cells, extra)
    assert session.ended == "completed"
    assert len(session.records) == n_cells * (2 if task == "mad-pair" else 8)
    assert session.header.task == TASKS[task]
    assert {r.response for r in session.records} <= {*TASKS[task].answers, None}
    assert session.header.observer["rule"] == TASKS[task].rules[0]


@pytest.mark.parametrize("comparison", ["reference-member", "member-member", "mad-pair", "catch"])
def test_every_comparison_is_simulated(folder, comparison):
    extra = f'{SCREEN}[task]\nname = "abx"\n'
    session = simulated(folder, comparison, "abx", comparison, 4, extra)
    assert session.ended == "completed"
    assert {r.trial.factors["comparison"] for r in session.records} == {comparison}


def test_a_task_that_only_a_design_declares_is_simulated(folder):
    session = simulated(folder, "own", "duo-trio", "reference-distortion", 20, DUO_TRIO)
    assert session.ended == "completed"
    assert len(session.records) == 120
    assert session.header.task.name == "duo-trio"
    # 120 trials at a mean of 0.7, without a limit of time: four standard errors
    assert abs(sum(r.correct for r in session.records) / 120 - 0.7) < 4 * (0.7 * 0.3 / 120) ** 0.5
