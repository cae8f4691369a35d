"""Trials of a design: exact balance, reproducible order, honest labels."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from experiments.order import answer_rng, make_trials
from stimuli_store.errors import InputError, PinMismatch
from tests.experiments.helpers import design_for
from tests.helpers import tiny_bank


def test_every_pair_is_in_every_cell_equally_often(bank):
    design = design_for(bank, comparisons=("reference-metamer", "metamer-metamer"), repeats=8)
    trials = make_trials(design, bank, "S01", 1)
    expected = Counter()
    for members in bank.sets.values():
        ids = [m.sha256 for m in members]
        pairs = [(members[0].target, i) for i in ids] + list(combinations(ids, 2))
        for a, b in pairs:
            for shown in ((a, b, a, "A"), (a, b, b, "B"), (b, a, b, "A"), (b, a, a, "B")):
                expected[((a, b), *shown)] += 2
    found = Counter(
        (t.pair, t.intervals["A"], t.intervals["B"], t.intervals["X"], t.answer) for t in trials
    )
    assert found == expected  # 8 sets x (2 + 1) pairs x 8 repeats
    assert len(trials) == 192


def test_labels_of_a_trial_come_from_the_bank(bank):
    for trial in make_trials(design_for(bank, comparisons=("metamer-metamer",)), bank, "S01", 1):
        for sha in trial.pair:
            record = bank.by_id[sha]
            assert record.set == trial.set
            assert record.level == trial.level
            assert bank.by_id[record.target].name == trial.target
        assert trial.comparison == "metamer-metamer"


def test_order_is_reproducible_and_a_participants_own(bank):
    design = design_for(bank)
    first = make_trials(design, bank, "S01", 1)
    assert make_trials(design, bank, "S01", 1) == first
    assert [t.index for t in first] == list(range(len(first)))
    key = [(t.pair, t.answer, t.intervals["A"]) for t in first]
    for participant, session in (("S02", 1), ("S01", 2)):
        other = make_trials(design, bank, participant, session)
        other_key = [(t.pair, t.answer, t.intervals["A"]) for t in other]
        assert other_key != key
        assert sorted(other_key) == sorted(key)


def test_place_in_the_session_does_not_depend_on_the_answer(bank):
    # Over many participants the mean place of A trials is that of B trials (z below 4).
    design = design_for(bank, levels=(4.0,), targets=("leaf",))
    places = {"A": [], "B": []}
    for number in range(200):
        for trial in make_trials(design, bank, f"S{number}", 1):
            places[trial.answer].append(trial.index)
    a, b = np.array(places["A"]), np.array(places["B"])
    z = (a.mean() - b.mean()) / np.sqrt(a.var() / len(a) + b.var() / len(b))
    assert len(a) == len(b)
    assert abs(z) < 4


def test_levels_and_targets_choose(bank):
    trials = make_trials(design_for(bank, levels=(8.0, 32.0), targets=("stone",)), bank, "S01", 1)
    assert {(t.level.value, t.target) for t in trials} == {(8.0, "stone"), (32.0, "stone")}


def test_what_the_bank_lacks_is_refused(bank):
    with pytest.raises(InputError, match="no level 5; it has 4, 8, 16, 32"):
        make_trials(design_for(bank, levels=(5.0,)), bank, "S01", 1)
    with pytest.raises(InputError, match="'stones'; did you mean 'stone'"):
        make_trials(design_for(bank, targets=("stones",)), bank, "S01", 1)


def test_no_pair_is_refused(tmp_path):
    single = tiny_bank(tmp_path, seeds=(0,), levels=(4.0,))
    with pytest.raises(InputError, match="needs sets of two members or more"):
        make_trials(design_for(single, comparisons=("metamer-metamer",)), single, "S01", 1)


def test_another_bank_is_refused(tmp_path, bank):
    other = tiny_bank(tmp_path, version="1.0.1")
    with pytest.raises(PinMismatch, match=r"the design pins tiny@1\.0\.0"):
        make_trials(design_for(bank), other, "S01", 1)


def test_simulated_answers_have_a_stream_per_trial():
    draws = {(seed, i): answer_rng(seed, i).random() for seed in (1, 2) for i in range(50)}
    assert len(set(draws.values())) == 100
