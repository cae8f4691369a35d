"""Records from what was shown, and the simulated booth: answers, presses, flags, frames, for every task."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.outcome import record_of
from experiments.ports import Listening, Press, Quit, Shown
from experiments.scene import slides_of
from experiments.screen import Screen
from experiments.showing.loop import Showing, hashes_of
from experiments.simulated import SimulatedBooth, SimulatedPerson
from stimuli_store.errors import DisplayError, InputError
from stimuli_store.tasks import TASKS, task_named
from stimuli_store.tasks.types import PhaseSpec, Show, Task
from tests.experiments.made_trials import keys_of, listening_of, made_up

HZ = 60.0
SIZE = (300, 220)
SCREEN = Screen(size=SIZE)
ABX = task_named("abx")
PLANNED = [30, 12, 30, 12, 60, 12, 120]
ONSET_X = 144 / HZ  # of X, from the onset of the first phase


def shown_as_planned(task: Task, *, held: dict[tuple[int, int], int] | None = None) -> Shown:
    """Flips of a trial in which frame (phase, index) is held for so many periods more."""
    trial, _ = made_up(task)
    now, flips = 600, []
    for number, phase in enumerate(trial.phases):
        flips.append([])
        for i in range(phase.n_frames or 50):
            flips[-1].append(now / HZ)
            now += 1 + (held or {}).get((number, i), 0)
    return Shown(flips_s=tuple(map(tuple, flips)), end_s=now / HZ, presses=(), hashes={})


def record(task, shown, **changes):
    trial, _ = made_up(task)
    return record_of(replace(trial, **changes), task, shown, keys_of(task), 1 / HZ)


def pressed(*presses: tuple[float, str]) -> Shown:
    """An ABX trial with presses at times from the onset of X."""
    at = 10.0 + ONSET_X
    given = tuple(Press(key=key, t_s=at + t) for t, key in presses)
    return replace(shown_as_planned(ABX), presses=given)


@pytest.mark.parametrize(
    ("presses", "response", "rt_s", "flags"),
    [
        ([(0.4, "q")], "A", 0.4, ()),
        ([(0.0, "w")], "B", 0.0, ()),
        ([(0.3, "w"), (0.4, "q")], "B", 0.3, ()),
        ([(0.3, "x"), (0.4, "q")], "A", 0.4, ()),
        ([(-0.2, "q"), (0.5, "w")], "B", 0.5, ("too_early",)),
        ([(-2.39, "w"), (0.5, "w")], "B", 0.5, ("too_early",)),
        ([(-0.2, "q")], None, None, ("too_early", "no_response")),
        ([(-0.2, "x")], None, None, ("no_response",)),
        ([], None, None, ("no_response",)),
    ],
)
def test_the_first_answer_in_time_counts_and_every_press_is_kept(presses, response, rt_s, flags):
    shown = pressed(*presses)
    found = record(ABX, shown)
    assert found.response == response
    assert found.rt_s == (None if rt_s is None else pytest.approx(rt_s, abs=1e-12))
    assert found.correct == (response == found.trial.answer)
    assert found.flags == flags
    assert [(p.key, p.t_s) for p in found.presses] == [(p.key, p.t_s) for p in shown.presses]


def test_a_press_says_the_phase_it_came_in():
    found = record(ABX, pressed((-2.5, "a"), (-2.3, "b"), (-0.01, "c"), (0.0, "d"), (0.25, "e")))
    assert [p.phase for p in found.presses] == ["iti", "iti", "gap_bx", "X", "respond"]


def test_a_key_of_an_answer_that_the_task_does_not_have_does_not_count():
    shown = pressed((0.2, "z"), (0.3, "q"))
    trial, _ = made_up(ABX)
    found = record_of(trial, ABX, shown, {"z": "left", "q": "A"}, 1 / HZ)
    assert (found.response, found.rt_s) == ("A", pytest.approx(0.3))


@pytest.mark.parametrize("name", TASKS)
def test_frames_off_the_plan_are_flagged_up_to_the_last_picture(name):
    task = replace(task_named(name), mask_ms=100.0)
    trial, _ = made_up(task)
    last = max(i for i, phase in enumerate(trial.phases) if phase.shows)
    assert record(task, shown_as_planned(task)).flags == ("no_response",)
    for number, phase in enumerate(trial.phases):
        for index in {0, (phase.n_frames or 50) - 1}:
            found = record(task, shown_as_planned(task, held={(number, index): 2}))
            assert ("dropped_frames" in found.flags) == (number <= last)
            assert found.timing[number].dropped == (index,)
            assert found.timing[number].n_frames == (phase.n_frames or 50) + 2


def last_phase_with_a_picture() -> Task:
    pair = task_named("pair")
    return replace(pair, phases=pair.phases[:-1])


def test_a_picture_that_the_answer_ended_is_not_off_the_plan_but_a_held_frame_is():
    task = last_phase_with_a_picture()
    for held, flags in (({}, ()), ({(1, 3): 1}, ("dropped_frames",))):
        shown = shown_as_planned(task, held=held)
        flips = (shown.flips_s[0], shown.flips_s[1][:10])
        press = Press(key="q", t_s=flips[1][9])
        ended = replace(shown, flips_s=flips, end_s=None, presses=(press,))
        assert record(task, ended).flags == flags


# The simulated booth


def simulated(task, script, *, mask_ms=0.0, booth=None):
    task = replace(task, mask_ms=mask_ms)
    trial, frames = made_up(task)
    booth = booth or SimulatedBooth(SIZE, HZ)
    slides = slides_of(task, trial, frames, SCREEN, booth.size)
    shown = booth.show(slides, listening_of(task, trial, script))
    return record_of(trial, task, shown, keys_of(task), 1 / HZ), shown


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_shown_as_planned_and_answered_as_scripted(name):
    task = task_named(name)
    for mask_ms in (0.0, 100.0):
        found, shown = simulated(task, ("w", 0.4321), mask_ms=mask_ms)
        assert found.response == task.answers[1]
        assert found.rt_s == pytest.approx(0.4321, abs=1e-9)
        assert found.flags == ()
        assert found.frame_sha256 == found.trial.intervals
        before_last = [t.n_frames for t in found.timing[:-1]]
        assert before_last == [p.n_frames for p in found.trial.phases[:-1]]
        flips = np.concatenate(shown.flips_s)
        np.testing.assert_allclose(np.diff(flips), 1 / HZ)


@pytest.mark.parametrize(
    ("script", "response", "respond_frames"),
    [
        (("w", 0.1), "B", 1),  # during X, which stays nevertheless
        (("w", 0.3), "B", 7),
        (("q", 0.4), "A", 13),
        (("q", 2.199), "A", 120),  # in the last frame
        (("q", 2.201), None, 120),
        (("x", 0.3), None, 120),
        (None, None, 120),
    ],
)
def test_the_last_phase_lasts_until_the_answer(script, response, respond_frames):
    found, _ = simulated(ABX, script)
    assert [t.n_frames for t in found.timing] == [*PLANNED[:-1], respond_frames]
    assert found.response == response
    if script is not None and script[1] < 2.2:
        assert [p.key for p in found.presses] == [script[0]]
    assert found.rt_s == (None if response is None else pytest.approx(script[1]))


def test_trials_follow_each_other_without_a_gap_and_without_each_others_presses():
    booth = SimulatedBooth(SIZE, HZ)
    _, first = simulated(ABX, ("q", 5.0), booth=booth)  # too late: it must not reach the next trial
    second, shown = simulated(ABX, ("q", 0.4), booth=booth)
    assert first.end_s is not None
    assert shown.flips_s[0][0] == first.end_s
    assert [t.n_frames for t in second.timing][:-1] == PLANNED[:-1]
    assert len(second.presses) == 1


def test_a_quit_key_ends_the_trial():
    with pytest.raises(Quit):
        simulated(ABX, ("escape", 0.1))


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (None, "lasts until the answer, but nobody is simulated"),
        (("p", 0.3), "the simulated participant presses 'p', which is none of q, w"),
    ],
)
def test_an_endless_phase_that_nobody_ends_is_refused(script, sentence):
    with pytest.raises(InputError, match=sentence):
        simulated(task_named("split-screen"), script)


def test_a_phase_in_the_middle_may_last_until_the_answer():
    shows = (Show(interval="picture"),)
    task = replace(
        task_named("yes-no"),
        phases=(
            PhaseSpec(name="iti", ms=100.0),
            PhaseSpec(name="picture", shows=shows, listens=True),
            PhaseSpec(name="after", ms=200.0, listens=True),
        ),
    )
    found, _ = simulated(task, ("q", 0.5))
    assert [t.n_frames for t in found.timing] == [6, 31, 1]
    assert found.flags == ()


def test_scenes_of_another_size_than_the_window_are_refused():
    trial, frames = made_up(ABX)
    slides = slides_of(ABX, trial, frames, SCREEN, SIZE)
    with pytest.raises(DisplayError, match="300 x 220 pixels cannot be shown in a window of 299 x"):
        SimulatedBooth((299, 220), HZ).show(slides, listening_of(ABX, trial))


def test_what_was_read_instead_of_a_scene_stands_for_its_intervals():
    task = replace(task_named("pair"), mask_ms=100.0)
    trial, frames = made_up(task)
    slides = slides_of(task, trial, frames, SCREEN, SIZE)
    assert hashes_of(slides, {}) == trial.intervals
    both = id(slides[1][0].scene.pixels)
    assert hashes_of(slides, {both: "read"}) == {"left": "read", "right": "read"}
    mask = id(slides[2][0].scene.pixels)
    assert hashes_of(slides, {mask: "read"}) == {"left": "read", "right": "read"}
    abx, abx_frames = made_up(ABX, cell=0)
    slides = slides_of(ABX, abx, abx_frames, SCREEN, SIZE)
    b = id(slides[3][0].scene.pixels)
    assert hashes_of(slides, {b: "read"}) == {**abx.intervals, "B": "read"}


def test_loading_takes_its_time_out_of_the_first_phase():
    """A surface on which loading takes 5.4 periods: the blank lasts its 30 frames nevertheless."""
    trial, frames = made_up(ABX)
    slides = slides_of(ABX, trial, frames, SCREEN, SIZE)

    class Slow:
        period_s = 1 / HZ
        now = 0.0

        def __init__(self, periods):
            self.periods = periods

        def now_s(self):
            return self.now

        def load(self, phases):
            self.now += self.periods / HZ

        def flip(self, scene, *, edge=False):
            self.now = (np.floor(self.now * HZ + 1e-6) + 1) / HZ
            return self.now

        def poll(self):
            return []

        def press_later(self, key, t_s):
            raise AssertionError

    listening = Listening(phase=5, keys=frozenset("qw"), quit="escape")
    for periods, frames_seen in (
        (0, 30),
        (5.4, 30),
        (28.9, 30),
        (29.5, 30),
        (30.5, 31),
        (47.2, 48),
    ):
        shown, _ = Showing(slides, listening, Slow(periods)).run(None)
        found = record(ABX, shown)
        assert [t.n_frames for t in found.timing] == [frames_seen, *PLANNED[1:]], periods
        assert ("dropped_frames" in found.flags) == (frames_seen > 30)


def test_a_person_answers_a_trial_always_the_same_and_its_repeat_anew():
    class Dice:
        def respond(self, trial, rng):
            return rng.random()

        def describe(self):
            return {}

    trial, _ = made_up(ABX)
    person, again = SimulatedPerson(Dice(), 7), SimulatedPerson(Dice(), 7)
    answers = [
        person.answer(trial),
        person.answer(replace(trial, index=1)),
        person.answer(replace(trial, attempt=1)),
        SimulatedPerson(Dice(), 8).answer(trial),
    ]
    assert again.answer(trial) == answers[0]
    assert len(set(answers)) == 4
