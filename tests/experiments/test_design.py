"""Design files read, and refused."""

import re

import pytest

from experiments.design import check_participant, load_design, seed_of
from stimuli_store.errors import InputError
from tests.experiments.helpers import write_design


def test_a_full_design_reads_as_written(tmp_path, bank):
    extra = """levels = [4, 16.0]
targets = ["leaf"]
break_every = 10
[task]
name = "abx"
rule = "differencing"
a_ms = 100
[screen]
refresh_hz = 120
size = [640, 480]
[keys]
A = "1"
B = "2"
"""
    design = load_design(write_design(tmp_path / "d.toml", bank, extra))
    assert design.bank.pin == bank.pin
    assert design.design.levels == (4.0, 16.0)
    assert design.design.targets == ("leaf",)
    assert (design.task.rule, design.task.a_ms, design.task.x_ms) == ("differencing", 100.0, 200.0)
    assert (design.screen.refresh_hz, design.screen.size) == (120.0, (640, 480))
    assert design.keys.answers() == {"1": "A", "2": "B"}
    assert design.keys.quit == "escape"


REFUSED = {
    "misspelt key": ({"extra": "[task]\nrul = 'independent'"}, "'rul'; did you mean 'rule'"),
    "misspelt table": ({"extra": "[sreen]\nsize = [1, 1]"}, "'sreen'; did you mean 'screen'"),
    "repeats": ({"repeats": "6"}, "repeats is 6, .* give a multiple of 4"),
    "zero repeats": ({"repeats": "0"}, "give a multiple of 4"),
    "text for a number": ({"seed": "'one'"}, "seed must have type int; not 'one'"),
    "comparison": ({"comparisons": "['reference-metamers']"}, "mean 'reference-metamer'"),
    "no comparison": ({"comparisons": "[]"}, "comparisons must name one or both"),
    "pin": ({"pin": "'tiny@1.0.0'"}, "a pin must have the form name@version#hash"),
    "rate": ({"extra": "[screen]\nrefresh_hz = nan"}, "refresh_hz must be a positive number"),
    "background": ({"extra": "[screen]\nbackground = 128"}, "between 0 .black. and 1"),
    "same keys": ({"extra": "[keys]\nA = 'right'"}, "keys for A, B and quit must differ"),
    "too short": ({"extra": "[task]\na_ms = 5"}, "'A' should last 5 ms"),
    "not TOML": ({"extra": "[task"}, "is not valid TOML"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_design_is_refused_with_its_file_name(tmp_path, bank, case):
    changes, sentence = REFUSED[case]
    path = write_design(tmp_path / "mine.toml", bank, **changes)
    with pytest.raises(InputError, match=sentence) as error:
        load_design(path)
    assert str(path) in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the design .*none\.toml: No such file"):
        load_design(tmp_path / "none.toml")


def test_identity_is_the_design_and_the_pin_but_not_the_path(tmp_path, bank):
    a = load_design(write_design(tmp_path / "a.toml", bank))
    moved = tmp_path / "b.toml"
    moved.write_text((tmp_path / "a.toml").read_text().replace(bank.path.name, "elsewhere/x.h5"))
    assert load_design(moved).design_sha256 == a.design_sha256
    other_seed = load_design(write_design(tmp_path / "c.toml", bank, seed="2"))
    assert other_seed.design_sha256 != a.design_sha256
    moved.write_text(re.sub("#[0-9a-f]{16}", "#" + "0" * 16, (tmp_path / "a.toml").read_text()))
    assert load_design(moved).design_sha256 != a.design_sha256


@pytest.mark.parametrize("name", ["a/b", "../S01", "", "S 1", ".S01", "S01\n", "ä", "x" * 33])
def test_a_participant_that_is_no_file_name_is_refused(name):
    with pytest.raises(InputError, match="becomes part of a file name"):
        check_participant(name)


def test_seeds_differ_by_design_seed_participant_and_session(tmp_path, bank):
    one = load_design(write_design(tmp_path / "a.toml", bank))
    two = load_design(write_design(tmp_path / "b.toml", bank, seed="2"))
    seeds = [
        seed_of(one, "S01", 1),
        seed_of(one, "S02", 1),
        seed_of(one, "S01", 2),
        seed_of(two, "S01", 1),
    ]
    assert len(set(seeds)) == 4
    assert all(0 <= seed < 2**52 for seed in seeds)
