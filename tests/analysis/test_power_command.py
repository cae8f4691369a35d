"""Plans of studies in TOML and the command `stimsynth power`."""

import argparse
from pathlib import Path

import pytest
from scipy.stats import binom

from analysis.cli.power import register
from analysis.planning.study_file import read_study
from analysis.planning.tests import TESTS, named_test
from stimuli_store.errors import InputError

PLAN = """
studies = 40
seed = 3

[design]
task = "2ifc"
levels = [1, 2, 4, 8]
participants = [3, 6]
images = 1
trials = 10

[truth]
threshold = 3.0
width = 2.0
sd_participants = 0.2

[test]
name = "above chance"
"""


def written(folder: Path, text: str) -> str:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_plan_has_a_design_for_each_combination(tmp_path: Path) -> None:
    plan = read_study(written(tmp_path, PLAN.replace("trials = 10", "trials = [10, 20]")))
    numbers = [(d.n_participants, d.n_images, d.n_trials) for d in plan.designs]
    assert numbers == [(3, 1, 10), (3, 1, 20), (6, 1, 10), (6, 1, 20)]
    assert (plan.n_studies, plan.seed) == (40, 3)


def test_the_command_prints_a_row_for_each_design(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "power.csv"
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    words = ["power", written(tmp_path, PLAN), "--studies", "6", "--out", str(out)]
    args = parser.parse_args(words)
    assert args.run(args) == 0
    printed = capsys.readouterr().out
    assert "above chance, 6 simulated studies each" in printed
    assert max(map(len, printed.splitlines())) <= 80
    lines = out.read_text().splitlines()
    assert lines[0].startswith("participants,images,trials per cell")
    assert [line.split(",")[0] for line in lines[1:]] == ["3", "6"]


@pytest.mark.long
def test_a_test_of_nobody_differs_from_chance_as_often_as_alpha(tmp_path: Path) -> None:
    """At levels far below the threshold everybody guesses, and the test is wrong as often as it may be."""
    guessing = PLAN.replace("threshold = 3.0", "threshold = 1e9").replace("[3, 6]", "8")
    plan = read_study(written(tmp_path, guessing))
    from analysis.planning.power import power

    found = power(plan.designs[0], plan.truth, plan.test, n_studies=80, seed=1)
    assert binom.sf(round(found.power * 80) - 1, 80, 0.05) > 1e-3


@pytest.mark.long
def test_conditions_that_differ_are_found(tmp_path: Path) -> None:
    from analysis.planning.power import power

    text = PLAN.replace("[3, 6]", "6").replace("trials = 10", "trials = 40")
    text = text.replace("above chance", "conditions differ")
    one = "[truth]\nthreshold = 3.0\nwidth = 2.0\nsd_participants = 0.2\n"
    assert one in text
    far, near = (
        text.replace(
            one,
            f"[truth.a]\nthreshold = 2.0\nsd_participants = 0.2\n[truth.b]\nthreshold = {b}\n"
            "sd_participants = 0.2\n",
        )
        for b in (5.0, 2.0)
    )
    powers = []
    for one_plan in (far, near):
        plan = read_study(written(tmp_path, one_plan))
        powers.append(power(plan.designs[0], plan.truth, plan.test, n_studies=8).power)
    assert powers[0] > 0.9
    assert powers[1] < 0.4


@pytest.mark.long
def test_a_threshold_is_known_to_an_octave_sooner_than_to_a_tenth_of_one(tmp_path: Path) -> None:
    from analysis.planning.power import power

    text = PLAN.replace("[3, 6]", "6").replace(
        '"above chance"', '"threshold within"\noctaves = 1.5'
    )
    wide = read_study(written(tmp_path, text))
    narrow = read_study(written(tmp_path, text.replace("octaves = 1.5", "octaves = 0.05")))
    powers = [
        power(plan.designs[0], plan.truth, plan.test, n_studies=6).power for plan in (wide, narrow)
    ]
    assert powers[0] > 0.8
    assert powers[1] < 0.2


FAULTS = {
    "no table": ("[test]\nname", "[tset]\nname", "test"),
    "a misspelt key": ("participants =", "participant =", "participants"),
    "a misspelt test": ("above chance", "above chanse", "above chance"),
    "no name": ('name = "above chance"', "alpha = 0.1", "needs a name"),
    "an unknown option": ('"above chance"', '"above chance"\noctaves = 1', "options"),
    "an unknown task": ('"2ifc"', '"2ifd"', "2ifc"),
    "levels in words": ("[1, 2, 4, 8]", '["a"]', "list of numbers"),
    "two truths": ("threshold = 3.0", "threshold = 3.0\ncritical = 2.0", "either a threshold"),
    "a truth in words": ("threshold = 3.0", 'threshold = "3"', "must be a number"),
    "a truth that is not whole": ("threshold = 3.0\nwidth = 2.0", "critical = 3.0", "not whole"),
    "half a person": ("[3, 6]", "2.5", "n_participants"),
    "nobody": ("[3, 6]", "0", "n_participants"),
    "no trials": ("trials = 10\n", "", "needs trials"),
    "placement": ("trials = 10", 'trials = 10\nplacement = "mixed"', "crossed"),
    "no TOML": ("[design]", "[design", "cannot be read"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_plan_is_one_sentence_with_its_name(tmp_path: Path, name: str) -> None:
    old, new, words = FAULTS[name]
    assert old in PLAN
    with pytest.raises(InputError, match=words) as raised:
        read_study(written(tmp_path, PLAN.replace(old, new)))
    assert "study.toml" in str(raised.value)


def test_a_missing_plan_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_study(tmp_path / "none.toml")


@pytest.mark.parametrize("name", TESTS)
def test_every_test_is_made_by_name(name: str) -> None:
    options = {"threshold within": {"octaves": 0.5}, "ranks first": {"model": "a"}}.get(name, {})
    assert callable(named_test(name, options))
