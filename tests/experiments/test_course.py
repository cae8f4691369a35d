"""Courses: exact balance in every block, distances and runs kept, the same order every time."""

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.balance import latin_square
from experiments.course.again import PlannedCourse
from experiments.course.constant import course_of
from experiments.course.spacing import check_distance, largest_distance, spaced, with_short_runs
from stimuli_store.errors import InputError, PinMismatch
from stimuli_store.records.trials import TrialRecord
from stimuli_store.tasks import TASKS, task_named
from tests.experiments.helpers import bank_of_kinds, design_for
from tests.helpers import tiny_bank


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    return bank_of_kinds(tmp_path_factory.mktemp("kinds"))


def trials_of(design, bank, participant="S01", session=1):
    return course_of(design, bank, participant, session).trials


def cell_of(trial, task):
    role = {stimulus: name for name, stimulus in trial.stimuli.items()}
    fills = {name: role[stimulus] for name, stimulus in trial.intervals.items()}
    return next(
        number
        for number, cell in enumerate(task.cells)
        if dict(cell.fills) == fills and cell.answer == trial.answer
    )


@pytest.mark.parametrize("name", TASKS)
def test_every_pair_is_in_every_cell_of_every_block_equally_often(name, kinds):
    task = task_named(name)
    comparison = "mad-pair" if name == "mad-pair" else "reference-distortion"
    design = design_for(
        kinds, task=name, comparisons=(comparison,), repeats=2 * len(task.cells), blocks=2
    )
    found = Counter(
        (t.block, t.stimuli[task.contrast[0]], t.stimuli[task.contrast[1]], cell_of(t, task))
        for t in trials_of(design, kinds)
    )
    assert set(found.values()) == {1}
    assert len(found) == 2 * len(task.cells) * (2 if name == "mad-pair" else 6)
    assert {t.index for t in trials_of(design, kinds)} == set(range(len(found)))


def test_labels_of_a_trial_come_from_the_bank(bank):
    for trial in trials_of(design_for(bank, comparisons=("member-member",)), bank):
        for sha in trial.stimuli.values():
            record = bank.by_id[sha]
            assert trial.factors == {
                "comparison": "member-member",
                "set": record.set,
                "target": bank.by_id[record.target].name,
                "level": record.level.value,
                "unit": "window_px",
            }


def test_order_is_reproducible_and_a_participants_own(bank):
    design = design_for(bank)
    first = trials_of(design, bank)
    assert trials_of(design, bank) == first
    assert [t.index for t in first] == list(range(len(first)))
    key = [(t.stimuli, t.answer, t.intervals) for t in first]
    others = [
        course_of(design, bank, participant, session, run).trials
        for participant, session, run in (("S02", 1, 1), ("S01", 2, 1), ("S01", 1, 2))
    ]
    keys = [[(t.stimuli, t.answer, t.intervals) for t in other] for other in others]
    for other in keys:
        assert other != key
        assert sorted(map(str, other)) == sorted(map(str, key))
    assert len({str(other) for other in keys}) == 3


def test_place_in_the_session_does_not_depend_on_the_answer(bank):
    # Over many participants the mean place of A trials is that of B trials (z below 4).
    design = design_for(bank, levels=(4.0,), targets=("leaf",), max_run=2)
    places = {"A": [], "B": []}
    for number in range(200):
        for trial in trials_of(design, bank, f"S{number}"):
            places[trial.answer].append(trial.index)
    a, b = np.array(places["A"]), np.array(places["B"])
    z = (a.mean() - b.mean()) / np.sqrt(a.var() / len(a) + b.var() / len(b))
    assert len(a) == len(b)
    assert abs(z) < 4


def test_jitter_is_drawn_for_every_trial_and_does_not_depend_on_the_order(bank):
    from experiments.task_choice import TaskChoice

    task = TaskChoice(name="abx", ms={"iti": (400.0, 900.0)})
    one, other = (trials_of(design_for(bank, task=task, max_run=run), bank) for run in (0, 2))
    frames = [t.phases[0].n_frames for t in one]
    assert frames == [t.phases[0].n_frames for t in other]
    assert 24 <= min(frames) < max(frames) <= 54
    assert len(set(frames)) > 10


def test_blocks_of_one_level_follow_a_latin_square(bank):
    design = design_for(
        bank, repeats=8, blocks=8, order="blocked", blocked_by="level", latin="number"
    )
    square = latin_square(4)
    for number in (1, 2, 3, 4, 5):
        trials = trials_of(design, bank, f"S{number}")
        levels = [
            {t.factors["level"] for t in block} for _, block in groupby(trials, lambda t: t.block)
        ]
        assert all(len(one) == 1 for one in levels)
        order = [(4.0, 8.0, 16.0, 32.0).index(one.pop()) for one in levels]
        assert tuple(order[:4]) == square[(number - 1) % 4]
        assert tuple(order[4:]) == square[number % 4]


def test_blocks_without_a_square_are_in_random_order(bank):
    design = design_for(bank, blocks=4, order="blocked", blocked_by="level")
    firsts = {trials_of(design, bank, f"S{n}")[0].factors["level"] for n in range(40)}
    assert firsts == {4.0, 8.0, 16.0, 32.0}


def test_catch_trials_are_the_easiest_and_in_every_block(bank):
    design = design_for(bank, repeats=8, blocks=2, catch=0.2, max_run=3, levels=(4.0, 8.0))
    trials = trials_of(design, bank)
    for _, block in groupby(trials, lambda t: t.block):
        block = list(block)
        caught = [t for t in block if t.factors["comparison"] == "catch"]
        assert len(caught) / len(block) == pytest.approx(0.2)
        assert {t.factors["level"] for t in caught} == {32.0}
        assert {t.factors["target"] for t in caught} == {"leaf", "stone"}
        assert set(Counter(t.answer for t in block).values()) == {len(block) // 2}


@pytest.mark.parametrize("distance", [2, 3])
def test_repeats_of_a_target_are_kept_apart_across_blocks(tmp_path, distance):
    many = tiny_bank(tmp_path, targets=("a", "b", "c"), levels=(4.0, 8.0))
    design = design_for(many, repeats=8, blocks=2, min_distance=distance, max_run=2)
    names = [t.factors["target"] for t in trials_of(design, many)]
    last = {}
    for place, name in enumerate(names):
        assert place - last.get(name, -99) >= distance
        last[name] = place
    with pytest.raises(
        InputError, match=r"target 'a' is shown 16 times among the 48 .*; 3 is the largest"
    ):
        trials_of(design_for(many, repeats=8, blocks=2, min_distance=4), many)


def test_levels_targets_sets_and_kinds_choose(bank, kinds):
    trials = trials_of(design_for(bank, levels=(8.0, 32.0), targets=("stone",)), bank)
    assert {(t.factors["level"], t.factors["target"]) for t in trials} == {
        (8.0, "stone"),
        (32.0, "stone"),
    }
    label = "leaf/window_px=4"
    assert {t.factors["set"] for t in trials_of(design_for(bank, sets=(label,)), bank)} == {label}
    trials = trials_of(design_for(kinds, kinds=("noise",)), kinds)
    assert {t.factors["set"] for t in trials} == {"a set of noise"}


REFUSED = {
    "level": ({"levels": (5.0,)}, "no level 5; it has 4, 8, 16, 32"),
    "word for a number": ({"levels": ("8",)}, 'no level "8"; it has 4, 8, 16, 32'),
    "target": ({"targets": ("stones",)}, "'stones'; did you mean 'stone'"),
    "set": ({"sets": ("leaf/window_px=5",)}, "did you mean 'leaf/window_px="),
    "kind": ({"kinds": ("metamers",)}, "'metamers'; did you mean 'metamer'"),
    "no MAD": (
        {"comparisons": ("mad-pair",)},
        r"'mad-pair' needs a set of mad, and tiny@1.0.0#.* holds 2 reference, 16 metamer",
    ),
    "no distortion": (
        {"comparisons": ("reference-distortion",)},
        "needs a set of eigendistortion, and .* holds 2 reference, 16 metamer",
    ),
    "square": (
        {"blocks": 2, "order": "blocked", "blocked_by": "level", "latin": "number"},
        "2 blocks are fewer than 'level' can be divided into: it has 4 values",
    ),
    "blocks": (
        {"blocks": 6, "order": "blocked", "blocked_by": "level"},
        "6 blocks are other than .* give a multiple of 4 blocks",
    ),
    "blocked by": (
        {"blocks": 4, "order": "blocked", "blocked_by": "colour"},
        "the factors comparison, set, target, level, unit",
    ),
    "repeats in blocked": (
        {"blocks": 8, "order": "blocked", "blocked_by": "level"},
        "balanced over 4 cells in each of 2 blocks; give a multiple of 8",
    ),
    "nothing left": ({"levels": (4.0,), "sets": ("leaf/window_px=8",)}, "select nothing"),
    "reference": ({"task": "mad-pair"}, "shows a reference .* 'reference-member' does not have"),
    "catch": (
        {"catch": 0.05, "levels": (4.0,), "targets": ("leaf",)},
        r"catch is 0.05, but .* all 4 cells of the task, which is 0.33 of a block with 8 other trials",
    ),
    "distance": ({"min_distance": 3}, "target 'leaf' is shown 32 times .*; 2 is the largest"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_made_is_refused(bank, case):
    changes, sentence = REFUSED[case]
    with pytest.raises(InputError, match=sentence) as error:
        trials_of(design_for(bank, **changes), bank)
    assert "\n" not in str(error.value)


def test_all_that_the_bank_lacks_is_named_together(bank):
    design = design_for(bank, levels=(5.0,), targets=("sand",), kinds=("mad",))
    with pytest.raises(InputError) as error:
        trials_of(design, bank)
    assert len(str(error.value).splitlines()) == 3


def test_no_pair_is_refused(tmp_path):
    single = tiny_bank(tmp_path, seeds=(0,), levels=(4.0,))
    with pytest.raises(InputError, match="needs sets of two members or more"):
        trials_of(design_for(single, comparisons=("member-member",)), single)


def test_another_bank_is_refused(tmp_path, bank):
    other = tiny_bank(tmp_path, version="1.0.1")
    with pytest.raises(PinMismatch, match=r"the design pins tiny@1\.0\.0"):
        trials_of(design_for(bank), other)


def answered(course, faulty=(), broken_off=()):
    """Records of a whole course in which the trials of some places get no answer."""
    records = []
    while (trial := course.next(records, broken_off)) is not None:
        flags = ("no_response",) if len(records) in faulty else ()
        records.append(TrialRecord(trial=trial, response="A", correct=True, rt_s=0.1, flags=flags))
    return records


def planned(bank, **changes) -> PlannedCourse:
    values = {"levels": (4.0, 8.0), "targets": ("leaf",), "blocks": 2, "repeats": 8, **changes}
    return course_of(design_for(bank, **values), bank, "S01", 1)


def test_faulty_trials_are_kept_by_default(bank):
    records = answered(planned(bank), faulty=(0, 5))
    assert [r.trial.index for r in records] == list(range(32))


def test_faulty_trials_are_repeated_at_the_end_of_their_block(bank):
    course = planned(bank, again="repeat", again_times=2)
    # The trials at places 3 and 5 get no answer, nor does trial 3 when it is repeated at place 16.
    records = answered(course, faulty=(3, 5, 16, 18, 20))
    shown = [(r.trial.index, r.trial.attempt) for r in records]
    assert shown[:16] == [(i, 0) for i in range(16)]
    assert shown[16:19] == [(3, 1), (5, 1), (3, 2)]  # the third fault of trial 3 is kept
    assert shown[19:35] == [(i, 0) for i in range(16, 32)]
    assert shown[35:] == [(17, 1)]


def test_a_trial_that_was_broken_off_is_next_with_another_attempt(bank):
    course = planned(bank)
    records = answered(course)[:4]
    assert course.next(records) == course.trials[4]
    again = course.next(records, broken_off=((4, 0), (4, 1)))
    assert again == replace(course.trials[4], attempt=2)


def test_the_course_of_a_part_is_a_part_of_the_course(bank):
    course = planned(bank, again="repeat")
    records = answered(course, faulty=(2, 7, 20))
    for k in range(len(records)):
        assert course.next(records[:k]) == records[k].trial


counts = st.lists(st.integers(1, 6), min_size=1, max_size=6)


@settings(max_examples=300)
@given(counts, st.integers(1, 3), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_distances_are_kept_or_refused_by_the_bound(counts, n_blocks, distance, seed):
    images = [name for name, count in enumerate(counts) for _ in range(count)]
    n, most = len(images), max(counts)
    ties = counts.count(most)
    possible = (most - 1) * distance + ties <= n or distance == 1
    if n_blocks > 1:
        possible = possible and (most * distance <= n or distance == 1)
    if not possible:
        with pytest.raises(InputError, match="min_distance is"):
            check_distance(images, distance, blocks=n_blocks)
        return
    check_distance(images, distance, blocks=n_blocks)
    orders = spaced([images] * n_blocks, distance, np.random.default_rng(seed))
    assert all(sorted(order) == images for order in orders)
    places = defaultdict(list)
    for place, image in enumerate(image for order in orders for image in order):
        places[image].append(place)
    assert all(b - a >= distance for where in places.values() for a, b in pairwise(where))


@pytest.mark.parametrize("n", range(1, 8))
def test_the_bound_is_the_largest_distance_that_an_order_has(n):
    """Against all orders of n trials of up to three images."""
    from itertools import permutations, product

    for parts in product(range(1, n + 1), repeat=3):
        if sum(parts) != n:
            continue
        images = [name for name, count in enumerate(parts) for _ in range(count)]
        best = max(
            min(
                (
                    b - a
                    for i in set(order)
                    for a, b in pairwise(np.flatnonzero(np.array(order) == i))
                ),
                default=n,
            )
            for order in set(permutations(images))
        )
        assert largest_distance(list(parts)) == best


@settings(max_examples=300)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=5),
    st.integers(2, 4),
    st.integers(2, 4),
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
)
def test_runs_are_never_too_long(counts, n_answers, longest, distance, seed):
    rng = np.random.default_rng(seed)
    names = [str(i) for i in range(n_answers)]
    images = [name for name, count in enumerate(counts) for _ in range(count * n_answers)]
    distance = min(distance, largest_distance([c * n_answers for c in counts], blocks=2))
    answers = {name: names * count for name, count in enumerate(counts)}
    said: list[str] = []
    for order in spaced([images, images], distance, rng):
        chosen = with_short_runs(order, answers, longest, rng, before=said)
        taken = Counter(zip(order, chosen, strict=True))
        assert taken == Counter((name, i) for name, a in answers.items() for i in range(len(a)))
        said += [answers[image][trial] for image, trial in zip(order, chosen, strict=True)]
    assert max(len(list(run)) for _, run in groupby(said)) <= longest


def test_runs_that_cannot_be_short_are_refused():
    order, answers = ["a"] * 6, {"a": ["yes"] * 5 + ["no"]}
    with pytest.raises(InputError, match="max_run is 2"):
        with_short_runs(order, answers, 2, np.random.default_rng(0))


DESIGNS = {
    "name": st.sampled_from([n for n in TASKS if n != "mad-pair"]),
    "blocks": st.integers(1, 3),
    "times": st.integers(1, 2),
    "blocked_by": st.sampled_from([None, "level", "target"]),
    "distance": st.integers(1, 2),
    "max_run": st.sampled_from([0, 2, 3]),
    "catch": st.sampled_from([0.0, 0.1]),
    "seed": st.integers(0, 10**6),
}


@pytest.mark.long
@settings(max_examples=100)
@given(**DESIGNS)
def test_any_design_is_balanced_in_every_block(bank, **design):
    see_balanced(bank, **design)


@pytest.mark.slow
@settings(max_examples=1000)
@given(**DESIGNS)
def test_a_thousand_designs_are_balanced_in_every_block(bank, **design):
    see_balanced(bank, **design)


def see_balanced(bank, name, blocks, times, blocked_by, distance, max_run, catch, seed):
    task = task_named(name)
    values = {"level": 4, "target": 2}.get(blocked_by, 1)
    if blocked_by == "target" or catch:
        distance = 1  # counts of targets are unequal
    design = design_for(
        bank,
        task=name,
        repeats=len(task.cells) * blocks * times,
        blocks=blocks * values,
        order="blocked" if blocked_by else "interleaved",
        blocked_by=blocked_by,
        min_distance=distance,
        max_run=max_run,
        catch=catch,
        seed=seed,
    )
    trials = trials_of(design, bank)
    per_block = defaultdict(Counter)
    for t in trials:
        if t.factors["comparison"] != "catch":
            per_block[t.block][t.stimuli["p"], t.stimuli["q"], cell_of(t, task)] += 1
    assert len(per_block) == blocks * values
    for found in per_block.values():
        assert set(found.values()) == {times}
        assert len(found) == 16 // values * len(task.cells)
    answers = [t.answer for t in trials]
    if max_run:
        assert max(len(list(run)) for _, run in groupby(answers)) <= max_run
    if distance == 2:
        assert all(a.factors["target"] != b.factors["target"] for a, b in pairwise(trials))
