"""Design files read, and refused."""

import re

import pytest

from experiments.design import check_participant, check_run, check_session, read_design, seed_of
from experiments.keys import KEY_NAMES, keys_of
from stimuli_store.errors import InputError
from stimuli_store.tasks import TASKS
from tests.experiments.helpers import write_design

TRIANGLE = """[task]
name = "triangle-test"
roles = [{ name = "p", at = 0 }, { name = "q", at = 1 }]
intervals = ["1", "2"]
answers = ["one", "two"]
phases = [
  { name = "iti", ms = [400, 600] },
  { name = "pictures", ms = 200, shows = [
    { interval = "1", place = "left" }, { interval = "2", place = "right" }] },
  { name = "respond", listens = true },
]
cells = [
  { fills = { 1 = "p", 2 = "q" }, answer = "two" },
  { fills = { 1 = "q", 2 = "p" }, answer = "one" },
]
rules = ["likelihood"]
"""


def test_a_full_design_reads_as_written(tmp_path, bank):
    extra = """levels = [4, 16.0, "loud"]
targets = ["leaf"]
break_every = 10
blocks = 2
again = "repeat"
[task]
name = "abx"
rule = "differencing"
ms = { A = 100, iti = [400, 700] }
mask_ms = 100
[screen]
refresh_hz = 120
size = [640, 480]
[screen.places]
left = { deg = [-6, 0] }
[keys]
A = "1"
B = "2"
[texts]
rest = "Rest. {done} of {total}."
"""
    design = read_design(write_design(tmp_path / "d.toml", bank, extra, repeats="8"))
    assert design.bank.pin == bank.pin
    assert design.design.levels == (4.0, 16.0, "loud")
    assert design.design.targets == ("leaf",)
    phases = {phase.name: phase.ms for phase in design.task.phases}
    assert (design.rule, phases["A"], phases["X"]) == ("differencing", 100.0, 200.0)
    assert (phases["iti"], design.task.mask_ms) == ((400.0, 700.0), 100.0)
    assert (design.screen.refresh_hz, design.screen.size) == (120.0, (640, 480))
    assert design.answer_keys == {"1": "A", "2": "B"}
    assert design.quit_key == "escape"


def test_a_task_of_a_labs_own_is_declared_in_the_design(tmp_path, bank):
    design = read_design(write_design(tmp_path / "d.toml", bank, TRIANGLE))
    assert design.task.name == "triangle-test"
    assert design.task.guess == 0.5
    assert [phase.ms for phase in design.task.phases] == [(400.0, 600.0), 200.0, None]
    assert dict(design.task.cells[0].fills) == {"1": "p", "2": "q"}
    assert (design.rule, design.keys["one"]) == ("likelihood", "left")


AGAIN = """"again", ms = 200, shows = [{ interval = "1" }] },
  { name = "respond", listens"""
DISTORTIONS = "['reference-distortion']"

REFUSED = {
    "misspelt key": ({"extra": "[task]\nname = 'abx'\nrul = 'x'"}, "'rul'; did you mean 'rule'"),
    "misspelt table": ({"extra": "[sreen]\nsize = [1, 1]"}, "'sreen'; did you mean 'screen'"),
    "misspelt task": ({"extra": "[task]\nname = 'oddty'"}, "'oddty'; did you mean 'oddity'"),
    "misspelt rule": (
        {"extra": "[task]\nname = 'abx'\nrule = 'likelyhood'"},
        "did you mean 'likelihood'",
    ),
    "misspelt phase": (
        {"extra": "[task]\nname = 'abx'\nms = { gapab = 5 }"},
        "'gapab'; did you mean 'gap_ab'",
    ),
    "repeats": ({"repeats": "6"}, "repeats is 6, .* give a multiple of 4"),
    "blocks": ({"extra": "blocks = 3"}, "repeats is 4, .* in each of 3 blocks; .* multiple of 12"),
    "zero repeats": ({"repeats": "0"}, "repeats must be a number from 1 to 4096; not 0"),
    "text for a number": ({"seed": "'one'"}, "seed must have type int; not 'one'"),
    "comparison": ({"comparisons": "['reference-members']"}, "mean 'reference-member'"),
    "no comparison": ({"comparisons": "[]"}, "comparisons must name one or more"),
    "order": ({"extra": "order = 'mixed'"}, "order must be one of interleaved, blocked"),
    "blocked by nothing": ({"extra": "order = 'blocked'"}, "blocked_by belong together"),
    "latin": ({"extra": "latin = 'number'"}, "a Latin square orders blocks of one factor"),
    "run": ({"extra": "max_run = 1"}, "max_run must be 2 or more"),
    "again": ({"extra": "again = 'never'"}, "again must be one of flag, repeat, abort"),
    "catch": ({"extra": "catch = 0.6"}, "a share of all trials from 0 to 0.5; not 0.6"),
    "NaN amplitude": ({"extra": "amplitudes = [nan]"}, "must be a positive number; not nan"),
    "pin": ({"pin": "'tiny@1.0.0'"}, "a pin must have the form name@version#hash"),
    "amplitude twice": (
        {"extra": "amplitudes = [0.5, 0.5]", "comparisons": DISTORTIONS},
        "amplitudes must be named once each",
    ),
    "amplitudes of nothing": (
        {"extra": "amplitudes = [0.5]", "comparisons": "['reference-member', 'catch']"},
        "of the comparison 'reference-distortion', which is not among reference-member, catch; leave",
    ),
    "amplitudes and levels": (
        {"extra": "amplitudes = [0.5]\nlevels = [2]", "comparisons": DISTORTIONS},
        "amplitudes and levels both choose .* give one of them",
    ),
    **{
        f"empty {name}": (
            {"extra": f"{name} = []", "comparisons": DISTORTIONS},
            f"{name} chooses nothing; name one or more in it, or leave it out for all",
        )
        for name in ("amplitudes", "levels", "targets", "sets", "kinds")
    },
    "empty latin": (
        {"extra": "latin = []\norder = 'blocked'\nblocked_by = 'level'"},
        "latin must name one participant or more",
    ),
    "endless window": ({"extra": "[screen]\nsize = [800, 100000]"}, "in pixels, from 1 to 16384"),
    "endless rate": (
        {"extra": "[screen]\nrefresh_hz = 1e300"},
        "a positive number from 1 to 10000",
    ),
    "slow rate": ({"extra": "[screen]\nrefresh_hz = 1e-300"}, "a positive number from 1 to 10000"),
    "endless phase": (
        {"extra": "[task]\nname = 'abx'\nms = { A = 1e9 }"},
        "must last an hour at most",
    ),
    "rate": ({"extra": "[screen]\nrefresh_hz = nan"}, "refresh_hz must be a positive number"),
    "background": ({"extra": "[screen]\nbackground = 128"}, "between 0 .black. and 1"),
    "one key twice": (
        {"extra": "[keys]\nA = 'right'\nB = 'right'"},
        "the key 'right' stands for 'A' and for 'B'",
    ),
    "no key": ({"extra": "[keys]\nA = 'left'"}, "the answer 'B' has no key"),
    "no such key": ({"extra": "[keys]\nA = 'lefft'\nB = 'b'"}, "'lefft'; did you mean 'left'"),
    "no such answer": ({"extra": "[keys]\nC = 'left'"}, "unknown answer in .keys. 'C'"),
    "quit key": ({"extra": "[keys]\nquit = 'left'"}, "'left' stands for 'A' and for 'quit'"),
    "text": ({"extra": "[texts]\nrests = 'x'"}, "'rests'; did you mean 'rest'"),
    "word in a text": ({"extra": "[texts]\nrest = '{don} of'"}, "'don'; did you mean 'done'"),
    "too short": ({"extra": "[task]\nname = 'abx'\nms = { A = 5 }"}, "'A' should last 5 ms"),
    "rounded": (
        {"extra": "[task]\nname = 'abx'\nms = { A = 210 }"},
        "'A' should last 210 ms, but whole frames at 60 Hz make it 216.7 ms",
    ),
    "not TOML": ({"extra": "[task"}, "is not valid TOML"),
    "misspelt rule of its own": (
        {"extra": TRIANGLE.replace('"likelihood"', '"likelyhood"')},
        "unknown decision rule 'likelyhood'; did you mean 'likelihood'",
    ),
    "rule of another task": (
        {"extra": TRIANGLE.replace('"likelihood"', '"likelihood", "independent"')},
        "'triangle-test' has no rule 'independent': only ABX has it",
    ),
    "rule that its cells do not tell": (
        {"extra": TRIANGLE.replace('"likelihood"', '"differencing"')},
        "no rule 'differencing': no pair of intervals ought to look the same",
    ),
    "rule that a criterion ends": (
        {"extra": "[task]\nname = 'abx'\ncriterion = true"},
        "has no rule 'independent': only ABX has it",
    ),
    "shown twice": (
        {"extra": TRIANGLE.replace('"respond", listens', AGAIN)},
        "the interval '1' is shown in the phase 'pictures' and again in 'again'; give the second",
    ),
    "not filled": (
        {"extra": TRIANGLE.replace('["1", "2"]', '["1", "2", "3"]')},
        r"a cell fills 1, 2, but the intervals are 1, 2, 3\n[^\n]*'3' is never shown$",
    ),
    "two right answers": (
        {"extra": TRIANGLE.replace('1 = "q", 2 = "p"', '1 = "p", 2 = "q"')},
        r"two cells are filled alike \(1 = p, 2 = q\), but the right answer is 'two' in one and 'one'",
    ),
    "answer without a name": (
        {"extra": TRIANGLE.replace('"one"', '" "')},
        "answers need names of one line of text; not ' '",
    ),
    "answer of two lines": (
        {"extra": TRIANGLE.replace('"one"', '"o\\nne"')},
        "answers need names of one line of text",
    ),
    "answer with the name of a key": (
        {"extra": TRIANGLE.replace('"one"', '"quit"')},
        "no answer may be called 'quit'",
    ),
    "declared already": (
        {"extra": TRIANGLE.replace("triangle-test", "abx")},
        "'abx' is declared already",
    ),
    "incomplete": (
        {"extra": TRIANGLE.replace('rules = ["likelihood"]', "")},
        "but without rules",
    ),
    "unknown role": (
        {"extra": TRIANGLE.replace('1 = "p", 2 = "q"', '1 = "p", 2 = "r"')},
        "a cell has the role 'r'",
    ),
    "never shown": (
        {"extra": TRIANGLE.replace(', { interval = "2", place = "right" }', "")},
        "the interval '2' is never shown",
    ),
    "not balanced": (
        {"extra": TRIANGLE.replace('answer = "one"', 'answer = "two"')},
        "every answer must be right in as many cells",
    ),
    "does not listen": (
        {"extra": TRIANGLE.replace(", listens = true", "")},
        "'respond' lasts until the answer, but does not listen",
    ),
    "name of a task": (
        {"extra": TRIANGLE.replace("triangle-test", "a_b")},
        "letters, digits or '-'",
    ),
    "third role": (
        {
            "extra": TRIANGLE.replace("roles = [", 'roles = [{ name = "r", at = 0 }, ').replace(
                '1 = "q", 2 = "p"', '1 = "q", 2 = "r"'
            )
        },
        "no comparison fills the role 'p'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_design_is_refused_with_its_file_name(tmp_path, bank, case):
    changes, sentence = REFUSED[case]
    path = write_design(tmp_path / "mine.toml", bank, **changes)
    with pytest.raises(InputError, match=sentence) as error:
        read_design(path)
    assert str(path) in str(error.value)


def test_all_faults_are_named_together(tmp_path, bank):
    extra = "[task]\nname = 'abx'\nms = { A = 5, B = 210 }\n[keys]\nA = 'left'\n"
    with pytest.raises(InputError) as error:
        read_design(write_design(tmp_path / "d.toml", bank, extra, repeats="6"))
    assert len(str(error.value).splitlines()) == 4


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the design .*none\.toml: No such file"):
        read_design(tmp_path / "none.toml")


def test_identity_is_the_design_and_the_pin_but_not_the_path(tmp_path, bank):
    a = read_design(write_design(tmp_path / "a.toml", bank))
    moved = tmp_path / "b.toml"
    moved.write_text((tmp_path / "a.toml").read_text().replace(bank.path.name, "elsewhere/x.h5"))
    assert read_design(moved).design_sha256 == a.design_sha256
    for extra in (
        "blocks = 1\ncatch = 0.1",
        "[task]\nname = 'abx'\nms = { A = 250 }",
        "[keys]\nquit = 'q'",
    ):
        other = read_design(write_design(tmp_path / "c.toml", bank, extra))
        assert other.design_sha256 != a.design_sha256
    moved.write_text(re.sub("#[0-9a-f]{16}", "#" + "0" * 16, (tmp_path / "a.toml").read_text()))
    assert read_design(moved).design_sha256 != a.design_sha256


@pytest.mark.parametrize(
    "name", ["a/b", "../S01", "", "S 1", ".S01", "S01\n", "ä", "x" * 33, "S-01", "a_ses-02"]
)
def test_a_participant_that_bids_refuses_is_refused(name):
    with pytest.raises(InputError, match="for which BIDS allows"):
        check_participant(name)


@pytest.mark.parametrize("number", [0, 100, -1])
def test_sessions_and_runs_are_numbered(number):
    with pytest.raises(InputError, match=f"sessions are numbered from 1 to 99; {number}"):
        check_session(number)
    with pytest.raises(InputError, match=f"runs are numbered from 1 to 99; {number}"):
        check_run(number)


def test_seeds_differ_by_design_seed_participant_session_and_run(tmp_path, bank):
    one = read_design(write_design(tmp_path / "a.toml", bank))
    two = read_design(write_design(tmp_path / "b.toml", bank, seed="2"))
    seeds = [
        seed_of(one, "S01", 1),
        seed_of(one, "S02", 1),
        seed_of(one, "S01", 2),
        seed_of(one, "S01", 1, 2),
        seed_of(two, "S01", 1),
    ]
    assert len(set(seeds)) == 5
    assert all(0 <= seed < 2**52 for seed in seeds)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_key_for_every_answer(name):
    answers = TASKS[name].answers
    keys = keys_of({}, answers)
    assert list(keys) == [*answers, "quit"]
    assert set(keys.values()) <= set(KEY_NAMES)
    expected = ["left", "right"] if len(answers) == 2 else list("123456"[: len(answers)])
    assert [keys[answer] for answer in answers] == expected
