"""Comparisons: which stimuli of a bank are told apart, for a bank with a set of every kind."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.comparisons import COMPARISONS
from experiments.course.constant import course_of
from experiments.pictures import frames_of
from experiments.sampling import Sampling
from experiments.selection import Sets
from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.publish import publish_bank
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError
from stimuli_store.frames import perturb
from stimuli_store.records.predictions import Predictions
from stimuli_store.records.spec import Level
from stimuli_store.tasks import TASKS
from tests.experiments.helpers import bank_of_kinds, design_for
from tests.helpers import tiny_bank
from tests.store.made_up import eigendistortions, made_up, picture, spec_of, targets


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    return bank_of_kinds(tmp_path_factory.mktemp("kinds"))


def fillings(bank: Bank, name: str, **choice):
    sampling = Sampling(comparisons=(name,), repeats=4, seed=1, **choice)
    sets = Sets(bank=bank, comparison=name, kinds=sampling.kinds, levels=sampling.levels)
    return list(COMPARISONS[name](sets, sampling))


def names(bank: Bank, found) -> list[tuple[str, str]]:
    return [(bank.by_id[f.low].name, bank.by_id[f.high].name) for f in found]


def test_every_member_is_compared_with_its_target(kinds):
    found = fillings(kinds, "reference-member")
    assert Counter(kinds.by_id[f.high].kind for f in found) == {
        "metamer": 2,
        "geodesic": 3,
        "noise": 1,
        "external": 1,
        "optimized": 1,
    }
    assert {f.low for f in found} == {kinds.by_name["target 1"].sha256}
    assert {f.reference for f in found} == {None}


def test_members_of_one_level_are_compared_with_each_other(kinds):
    assert names(kinds, fillings(kinds, "member-member")) == [("metamer 0", "metamer 1")]


def test_a_mad_pair_shares_the_held_metric(kinds):
    found = fillings(kinds, "mad-pair")
    assert names(kinds, found) == [("mad 0", "mad 1"), ("mad 2", "mad 3")]
    roles = [(kinds.by_id[f.low].role, kinds.by_id[f.high].role) for f in found]
    assert roles == [("metric_1_min", "metric_1_max"), ("metric_2_min", "metric_2_max")]
    assert [(f.factors["held"], f.factors["pushed"]) for f in found] == [
        ("two", "one"),
        ("one", "two"),
    ]
    assert {f.reference for f in found} == {kinds.by_name["target 1"].sha256}
    assert {(f.factors["level"], f.factors["unit"]) for f in found} == {(0.04, "noise")}


def test_a_member_is_identified_among_its_target_and_another_one(bank):
    found = fillings(bank, "identification")
    assert [f.low for f in found] == [bank.by_id[f.reference].target for f in found]
    assert set(names(bank, found)) == {("leaf", "stone"), ("stone", "leaf")}
    assert [bank.by_id[f.high].name for f in found] == [f.factors["other"] for f in found]
    members = [r.sha256 for r in bank.records if r.kind == "metamer"]
    assert [f.reference for f in found] == members


def test_members_of_a_set_are_identified_among_different_targets(tmp_path):
    alone = tiny_bank(tmp_path / "alone", targets=("leaf",), levels=(4.0,), size=(8, 8))
    assert fillings(alone, "identification") == []
    with pytest.raises(InputError, match="identification two targets of one shape"):
        course_of(
            design_for(alone, task="mad-pair", comparisons=("identification",)), alone, "S1", 1
        )
    three = tiny_bank(tmp_path, targets=("leaf", "moss", "stone"), levels=(4.0,), size=(8, 8))
    others = [f.factors["other"] for f in fillings(three, "identification")]
    assert others == ["moss", "stone", "stone", "leaf", "leaf", "moss"]


def test_distortions_come_from_the_bank_at_its_amplitudes(kinds):
    found = fillings(kinds, "reference-distortion")
    keys = [(f.factors["distortion"], f.factors["sign"], f.factors["amplitude"]) for f in found]
    ends = [("+", 0.5), ("+", 2.0), ("-", 2.0)]
    assert keys == [(end, sign, a) for end in ("most", "least") for sign, a in ends]
    assert all(f.factors["level"] == f.factors["amplitude"] and not f.made for f in found)
    assert len(fillings(kinds, "reference-distortion", levels=(2.0,))) == 4


def test_distortions_between_are_made_and_named_by_their_frame(kinds):
    found = fillings(kinds, "reference-distortion", amplitudes=(0.5, 0.75))
    made = [f for f in found if f.made]
    assert len(found) == 8  # two ends, two signs; - has no frame of 0.5
    assert {(f.factors["sign"], f.factors["amplitude"]) for f in made} == {
        ("+", 0.75),
        ("-", 0.5),
        ("-", 0.75),
    }
    for filling in made:
        how = filling.made[filling.high]
        shown = kinds.frame(how.target).pixels
        frame = perturb(shown, kinds.pixels(how.distortion), how.amplitude, how.dither, how.seed)
        assert frame.sha256 == filling.high
        assert (how.dither, how.seed) == ("uniform", 3)
        assert (how.amplitude < 0) == (filling.factors["sign"] == "-")
        assert not np.array_equal(frame.pixels, shown)


def test_made_frames_are_shown_as_planned(kinds):
    design = design_for(kinds, comparisons=("reference-distortion",), amplitudes=(0.75,))
    trial = course_of(design, kinds, "S01", 1).trials[0]
    frames = frames_of(trial, kinds)
    assert sorted(frames) == ["A", "B", "X"]
    assert not np.array_equal(frames["A"], frames["B"])


def of_distortions(folder: Path, dither: str, size: float = 1.0) -> Bank:
    """A bank with the unit distortions of one target, without any amplitude."""
    units = [s for s in eigendistortions() if s.record.level is None]
    remade = []
    for number, unit in enumerate(units):
        spec = unit.record.spec
        spec = replace(spec, recipe={"dither": dither})
        no_frame = {"bits": 0, "frame_sha256": "", "clipped_fraction": 0.0}
        remade.append(
            made_up(unit.pixels, spec, unit.record.certificate.figures, number, **no_frame)
        )
    header = BankHeader(name="units", version="1.0.0", license="CC0-1.0")
    return publish_bank(folder, header, [*targets(), *remade], Predictions())


AMPLITUDES = {
    "below half a level": ("none", 0.004, "changes no pixel by half a level of 255"),
    "clips": ("none", 200.0, r"clips [0-9.]+ % of the pixels; at most 1 %"),
}


@pytest.mark.parametrize("case", AMPLITUDES)
def test_an_amplitude_that_shows_nothing_or_clips_is_refused(tmp_path, case):
    dither, amplitude, sentence = AMPLITUDES[case]
    bank = of_distortions(tmp_path, dither)
    with pytest.raises(InputError, match=sentence):
        fillings(bank, "reference-distortion", amplitudes=(amplitude,))


def test_dither_keeps_what_is_below_half_a_level(tmp_path):
    bank = of_distortions(tmp_path, "uniform")
    assert len(fillings(bank, "reference-distortion", amplitudes=(0.004,))) == 2


def test_an_amplitude_beyond_those_of_the_bank_is_refused(kinds):
    with pytest.raises(InputError, match=r"3 lies outside those of kinds@.*, which are 0.5 to 2"):
        fillings(kinds, "reference-distortion", amplitudes=(3.0,))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -1.0])
def test_an_amplitude_must_be_a_positive_number(value):
    with pytest.raises(InputError, match="an amplitude must be a positive number"):
        Sampling(comparisons=("reference-distortion",), repeats=4, seed=1, amplitudes=(value,))


def test_catch_trials_are_the_largest_level_of_the_kinds_that_are_compared(tmp_path, bank, kinds):
    assert sorted(names(bank, fillings(bank, "catch"))) == [
        ("leaf", "leaf/window_px=32/seed=0"),
        ("stone", "stone/window_px=32/seed=0"),
    ]
    sampling = Sampling(comparisons=("reference-distortion",), repeats=4, seed=1, catch=0.1)
    found = list(COMPARISONS["catch"](Sets(bank=kinds, comparison="catch"), sampling))
    assert [(f.factors["level"], f.factors["unit"]) for f in found] == [(2.0, "amplitude")]


def test_words_are_levels_too(tmp_path):
    spec = spec_of("external", "external", Level(value="loud", unit="word"), recipe={"sha256": "0"})
    other = spec_of(
        "external", "external", Level(value="soft", unit="word"), recipe={"sha256": "1"}
    )
    stimuli = [
        *targets(),
        made_up(picture(1 + 40), spec, {}, 0),
        made_up(picture(51), other, {}, 1),
    ]
    header = BankHeader(name="words", version="1.0.0", license="CC0-1.0")
    bank = publish_bank(tmp_path, header, stimuli, Predictions())
    assert len(fillings(bank, "reference-member")) == 2
    (only,) = fillings(bank, "reference-member", levels=("loud",))
    assert only.factors["level"] == "loud"
    design = design_for(bank, levels=("quiet",))
    with pytest.raises(InputError, match='has no level "quiet"; it has "loud", "soft"'):
        course_of(design, bank, "S01", 1)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_takes_every_comparison_or_says_why_not(kinds, name):
    for comparison in COMPARISONS:
        design = design_for(kinds, task=name, comparisons=(comparison,))
        if name == "mad-pair" and comparison not in ("mad-pair", "identification"):
            with pytest.raises(InputError, match="shows a reference"):
                course_of(design, kinds, "S01", 1)
            continue
        low, high = TASKS[name].contrast
        for trial in course_of(design, kinds, "S01", 1).trials:
            assert {trial.stimuli[low], trial.stimuli[high]} >= set(trial.intervals.values()) - {
                trial.stimuli.get("reference")
            }
            assert trial.factors["comparison"] == comparison


def test_a_bank_of_one_kind_says_so(tmp_path):
    single = tiny_bank(tmp_path, targets=("leaf",), levels=(4.0,))
    with pytest.raises(InputError, match=r"needs a set of mad, and tiny@.* holds 1 reference, 2 m"):
        fillings(single, "mad-pair")
