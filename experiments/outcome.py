"""Make the record of a trial from what happened on the screen: answer, score, timing, flags."""

from collections.abc import Mapping, Sequence

from experiments.ports import Press, Shown
from experiments.showing.timing import phase_timings
from stimuli_store.records.trials import KeyPress, PhaseTiming, Trial, TrialRecord
from stimuli_store.tasks.types import Task

NO_RESPONSE = "no_response"
DROPPED_FRAMES = "dropped_frames"
TOO_EARLY = "too_early"


def record_of(
    trial: Trial, task: Task, shown: Shown, answer_of: Mapping[str, str], period_s: float
) -> TrialRecord:
    """Return the record of a trial: its first answer, score, reaction time, timing, presses and flags.

    The answer is the first press of an answer's key at or after the onset of the first phase that
    listens; the reaction time counts from there. Flags: ``"dropped_frames"`` (a phase up to the last
    picture, the blank before the first one included, had other frames than planned), ``"too_early"`` (an
    answer's key was pressed before that onset) and ``"no_response"``.

    Parameters
    ----------
    trial, task
        The trial and its task.
    shown
        What the booth says.
    answer_of
        Key to answer. Keys of answers that the task does not have do not count.
    period_s
        Refresh period, in seconds.
    """
    answers = {key: answer for key, answer in answer_of.items() if answer in task.answers}
    from_s = shown.flips_s[next(i for i, p in enumerate(trial.phases) if p.listens)][0]
    given = [press for press in shown.presses if press.key in answers]
    first = next((press for press in given if press.t_s >= from_s), None)
    response = None if first is None else answers[first.key]
    timing = phase_timings(trial.phases, shown.flips_s, period_s, shown.end_s)
    flags = {
        DROPPED_FRAMES: _off_plan(trial, timing, shown),
        TOO_EARLY: any(press.t_s < from_s for press in given),
        NO_RESPONSE: first is None,
    }
    return TrialRecord(
        trial=trial,
        response=response,
        correct=response == trial.answer,
        rt_s=None if first is None else first.t_s - from_s,
        timing=timing,
        presses=tuple(_with_phase(press, timing) for press in shown.presses),
        frame_sha256=dict(shown.hashes),
        flags=tuple(flag for flag, holds in flags.items() if holds),
    )


def _off_plan(trial: Trial, timing: Sequence[PhaseTiming], shown: Shown) -> bool:
    """Return whether a phase up to the last one with pictures had other frames than planned."""
    with_pictures = [i for i, phase in enumerate(trial.phases) if phase.shows]
    if not with_pictures:
        return False
    seen = range(with_pictures[-1] + 1)
    return any(_is_off(timing[i], shown.end_s is None and i + 1 == len(timing)) for i in seen)


def _is_off(timing: PhaseTiming, ended_by_answer: bool) -> bool:
    if timing.planned_frames is None or ended_by_answer:
        return bool(timing.dropped)
    return timing.n_frames != timing.planned_frames


def _with_phase(press: Press, timing: Sequence[PhaseTiming]) -> KeyPress:
    begun = [phase.name for phase in timing if phase.onset_s <= press.t_s]
    return KeyPress(key=press.key, t_s=press.t_s, phase=begun[-1] if begun else timing[0].name)
