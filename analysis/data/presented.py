"""Presentation of a trial: who answered, when the pictures were up, which frames were on the screen."""

from stimuli_store.bank.reading import Bank
from stimuli_store.journal import Session
from stimuli_store.records.trials import PhaseTiming, Trial, TrialRecord


def is_simulated(session: Session) -> bool:
    """Return whether a simulated observer gave the answers of a session."""
    return session.header.observer is not None


def timing_ok(record: TrialRecord) -> bool | None:
    """Return whether the pictures were shown for exactly the planned frames; None without timing.

    Only the phases from the first picture to the last count, not the blank before them, in which
    pictures are loaded, and not the blank after them, which ends at the answer. A phase that lasts until the
    answer needs no number of frames, and the trial's last phase may be cut short by it.
    """
    if not record.timing:
        return None
    last = record.timing[-1]
    return all(
        not phase.dropped
        and (
            phase.planned_frames is None
            or phase.n_frames == phase.planned_frames
            or (phase is last and phase.n_frames < phase.planned_frames)
        )
        for phase in seen_phases(record)
    )


def seen_phases(record: TrialRecord) -> tuple[PhaseTiming, ...]:
    """Return the timings of a trial's phases, from the first picture to the last."""
    shown = [i for i, phase in enumerate(record.trial.phases) if phase.shows]
    if not shown:
        return record.timing[:-1]
    return record.timing[shown[0] : shown[-1] + 1]


def frames_verified(bank: Bank, session: Session, record: TrialRecord) -> bool | None:
    """Return whether every frame shown in a trial is the certified one, or the one its making must give.

    It is None without a screen, and False if a hash differs or was not recorded.
    """
    if not on_screen(session):
        return None
    return all(right for _, right in frames_shown(bank, session, record))


def frames_shown(
    bank: Bank, session: Session, record: TrialRecord
) -> list[tuple[str | None, bool]]:
    """Return hash on the screen (None if not recorded) and whether it is the right one, by interval."""
    if not on_screen(session):
        return []
    shown = [
        (record.frame_sha256.get(name), _frame_of(bank, record.trial, sha))
        for name, sha in record.trial.intervals.items()
    ]
    return [(found, found == right) for found, right in shown]


def _frame_of(bank: Bank, trial: Trial, stimulus: str) -> str:
    """Return the hash of a stimulus's frame: the id of a made one, nothing for an unknown one."""
    if stimulus in trial.made:
        return stimulus
    known = bank.by_id.get(stimulus)
    return known.certificate.frame_sha256 if known else ""


def on_screen(session: Session) -> bool:
    """Return whether a session was shown on a real screen, according to its header's booth."""
    adapter = session.header.booth.get("adapter")
    if adapter is None:
        return any(record.frame_sha256 for record in session.records)
    return adapter != "simulated"
