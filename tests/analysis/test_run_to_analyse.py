"""From `stimsynth run --simulate` to `stimsynth analyse`: a task of a design's own, and every kind."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from stimsynth.cli import main, make_parser
from stimuli_store.bank.reading import Bank
from tests.experiments.helpers import bank_of_kinds, write_design
from tests.experiments.test_every_task import DUO_TRIO, SCREEN

pytestmark = pytest.mark.usefixtures("undrawn", "few_draws", "quick")
AMPLITUDES = "amplitudes = [0.5, 0.6, 0.7, 0.75, 2]\n"


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a design compares in which task, with the number of trials that must come of it."""

    comparison: str
    repeats: int
    n_trials: int
    guess: str
    task: str = ""
    called: str = ""
    extra: str = ""
    mean_correct: str = "0.75"

    @property
    def text(self) -> str:
        """The lines of the design after its repeats and seed."""
        task = f'[task]\nname = "{self.task}"\n{SCREEN}' if self.task else ""
        return self.extra + task


CASES = {
    "a task that only a design declares": Case(
        called="duo-trio",
        comparison="reference-distortion",
        repeats=10,
        n_trials=200,
        guess="0.5",
        extra=AMPLITUDES + DUO_TRIO,
    ),
    "2AFC on a MAD set": Case(
        task="2afc", called="2ifc", comparison="mad-pair", repeats=100, n_trials=200, guess="0.5"
    ),
    "oddity on metamers": Case(
        task="oddity",
        called="oddity",
        comparison="reference-member",
        extra='kinds = ["metamer"]\n',
        repeats=102,
        n_trials=204,
        guess="0.333",
    ),
    "ABX on metamers": Case(
        task="abx",
        called="abx",
        comparison="reference-member",
        extra='kinds = ["metamer"]\n',
        repeats=100,
        n_trials=200,
        guess="0.5",
    ),
    "pair on amplitudes of eigendistortions": Case(
        task="pair",
        called="pair",
        comparison="reference-distortion",
        extra=AMPLITUDES,
        repeats=10,
        n_trials=200,
        guess="0.5",
    ),
    "spatial pair on external pictures": Case(
        task="pair-with-reference",
        called="pair-with-reference",
        comparison="reference-member",
        extra='kinds = ["external"]\n',
        repeats=200,
        n_trials=200,
        guess="0.5",
    ),
}


#: Run in the unit suite; the others, of which `tests/test_road.py` has relatives, take as long again.
SLICE = [
    "a task that only a design declares",
    "pair on amplitudes of eigendistortions",
    "spatial pair on external pictures",
]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """One bank with a set of every kind."""
    return bank_of_kinds(tmp_path_factory.mktemp("kinds"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands share a parser, whose making takes long."""
    parser = make_parser()
    monkeypatch.setattr("stimsynth.cli.make_parser", lambda: parser)


def inside(condition: dict[str, Any], results: dict[str, Any]) -> bool:
    """Whether the truth lies in the interval of the threshold, or of d' where there is one level."""
    if results["threshold"] is not None:
        (low, high), true = results["interval"], results["true_threshold"]
    else:
        ((low, high),), (true,) = condition["dprime_interval"], condition["true_dprime"]
    return bool(low <= true <= high)


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [name if name in SLICE else pytest.param(name, marks=pytest.mark.slow) for name in CASES],
)
def test_the_truth_is_found_with_the_guess_rate_of_the_task(
    kinds: Bank, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    case = CASES[name]
    folder = kinds.path.parent / name.replace(" ", "-")
    folder.mkdir()
    changes = {"comparisons": f'["{case.comparison}"]', "repeats": str(case.repeats)}
    design = write_design(kinds.path.parent / f"{folder.name}.toml", kinds, case.text, **changes)
    observer = ["--simulate", "right", "--mean-correct", case.mean_correct]
    words = ["run", str(design), "--participant", "S01", "--data", str(folder)]
    assert main([*words, *observer]) == 0
    out = folder / "report"
    assert main(["analyse", str(folder), "--bank", str(kinds.path), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert re.search(rf"{case.n_trials} trials of 1 participant.*, task {case.called}, rule", said)
    assert f"guess rate {case.guess}" in said
    results = json.loads((out / "results.json").read_text())
    assert inside(results["conditions"][0], results)
    assert "of the simulated observers: inside the interval" in said
