"""Make the record of a trial from its answer, timing and frame hashes."""

from collections.abc import Mapping, Sequence

from stimuli_store.records.trials import PhaseTiming, Trial, TrialRecord

NO_RESPONSE = "no_response"
DROPPED_FRAMES = "dropped_frames"


def record_of(
    trial: Trial,
    answer: tuple[str, float] | None,
    timing: Sequence[PhaseTiming],
    frame_sha256: Mapping[str, str],
) -> TrialRecord:
    """Return the record of a trial, with flags for a missing answer and for dropped frames.

    ``"no_response"``: no answer in time. ``"dropped_frames"``: a phase between the onset of the
    first picture and the end of the last one had another number of frames than planned. The blank
    before the first picture (where pictures are loaded) and the blank after the last (which ends at
    the answer) are recorded but set no flag.
    """
    response, rt_s = answer if answer is not None else (None, None)
    images = [i for i, phase in enumerate(trial.phases) if phase.image is not None]
    seen = timing[images[0] : images[-1] + 1]
    flags = []
    if any(phase.n_frames != phase.planned_frames for phase in seen):
        flags.append(DROPPED_FRAMES)
    if response is None:
        flags.append(NO_RESPONSE)
    return TrialRecord(
        trial=trial,
        response=response,
        correct=response == trial.answer,
        rt_s=rt_s,
        timing=tuple(timing),
        frame_sha256=dict(frame_sha256),
        flags=tuple(flags),
    )


def answer_window_s(trial: Trial, refresh_hz: float) -> float:
    """Return the time in seconds, from the onset of the last picture, in which an answer is accepted.

    Examples
    --------
    >>> from stimuli_store.records.trials import Phase
    >>> from stimuli_store.records.spec import Level
    >>> x = Phase(name="X", image="X", requested_ms=200, n_frames=12)
    >>> respond = Phase(name="respond", image=None, requested_ms=2000, n_frames=120)
    >>> trial = Trial(index=0, task="abx", rule="independent", intervals={}, answer="A", set="s",
    ...     target="t", level=Level(value=1.0, unit="px"), comparison="c", pair=("p", "q"),
    ...     phases=(x, respond))
    >>> answer_window_s(trial, 60.0)
    2.2
    """
    last = max(i for i, phase in enumerate(trial.phases) if phase.image is not None)
    return sum(phase.n_frames for phase in trial.phases[last:]) / refresh_hz
