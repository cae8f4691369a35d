"""Plans of sessions: trials and journal, and the check that the two belong together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from experiments.design import Design, check_participant, check_session, seed_of
from experiments.order import make_trials
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import JournalError
from stimuli_store.journal import Session, read_session
from stimuli_store.records.canonical import canonical_json
from stimuli_store.records.convert import to_json
from stimuli_store.records.trials import SessionHeader, Trial
from stimuli_store.tools.environment import environment

COMPLETED = "completed"

_MUST_AGREE = {
    "participant": "participant",
    "session": "session",
    "task": "task",
    "design_sha256": "design",
    "pin": "bank",
    "seed": "seed",
    "n_trials": "number of trials",
    "observer": "observer",
}


@dataclass(frozen=True, kw_only=True)
class SessionPlan:
    """A session before it is run: its trials, seed and journal, and the session found in the journal.

    `found` is None for a session that has not begun.
    """

    trials: tuple[Trial, ...]
    journal: Path
    seed: int
    found: Session | None

    @property
    def done(self) -> int:
        """Number of finished trials."""
        return len(self.found.records) if self.found else 0

    @property
    def completed(self) -> bool:
        """True if the session is completed, so that no trial is left."""
        return self.found is not None and self.found.ended == COMPLETED


def journal_path(data_dir: Path, participant: str, session: int, task: str) -> Path:
    """Return the path of the journal of a session.

    Examples
    --------
    >>> journal_path(Path("data"), "S01", 1, "abx").name
    'sub-S01_ses-01_task-abx.jsonl'
    """
    check_participant(participant)
    return data_dir / f"sub-{participant}_ses-{check_session(session):02d}_task-{task}.jsonl"


def plan_session(
    design: Design,
    bank: Bank,
    participant: str,
    session: int,
    data_dir: Path,
    *,
    observer: Mapping[str, Any] | None = None,
) -> SessionPlan:
    """Return the plan of a session, checked against its journal if there is one; nothing is written.

    Parameters
    ----------
    observer
        True parameters of a simulated observer; None for a person.

    Raises
    ------
    JournalError
        If the journal is damaged, or was begun with another design, bank or observer.
    """
    trials = make_trials(design, bank, participant, session)
    path = journal_path(data_dir, participant, session, design.task.name)
    seed = seed_of(design, participant, session)
    found = None
    if path.exists() and b"\n" in path.read_bytes():  # without a complete line it has not begun
        found = read_session(path)
        header = header_of(design, participant, session, trials, seed=seed, observer=observer)
        check_same(found, header, trials, path)
    return SessionPlan(trials=trials, journal=path, seed=seed, found=found)


def check_same(found: Session, header: SessionHeader, trials: Sequence[Trial], path: Path) -> None:
    """Raise JournalError if a journal was begun with another header or with other trials.

    Raises
    ------
    JournalError
        If participant, session, design, bank, seed, observer or the trials so far differ.
    """
    old, new = to_json(found.header), to_json(header)
    differing = [
        word
        for key, word in _MUST_AGREE.items()
        if canonical_json(old.get(key)) != canonical_json(new.get(key))
    ]
    if differing:
        raise JournalError(
            f"{path} was begun with another {', another '.join(differing)}; continue it with the "
            "same, or start a session under another number or in another folder"
        )
    began, goes_on = (h.booth.get("adapter") for h in (found.header, header))
    if goes_on and began != goes_on:
        raise JournalError(
            f"{path} was begun in the {began} booth, not in the {goes_on} booth, and a session uses one "
            "booth; continue it there, or start a session under another number"
        )
    if [r.trial for r in found.records] != list(trials[: len(found.records)]):
        raise JournalError(
            f"{path} holds other trials than this release makes from the same design; finish it "
            f"with the release that began it ({dict(found.header.software)})"
        )


def header_of(
    design: Design,
    participant: str,
    session: int,
    trials: Sequence[Trial],
    *,
    seed: int,
    observer: Mapping[str, Any] | None,
    booth: Mapping[str, Any] | None = None,
) -> SessionHeader:
    """Return the header of a session's journal, with the versions of the running software."""
    return SessionHeader(
        participant=participant,
        session=session,
        task=design.task.name,
        design_sha256=design.design_sha256,
        pin=design.bank.pin,
        seed=seed,
        n_trials=len(trials),
        booth=booth or {},
        software=environment(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        observer=observer,
    )
