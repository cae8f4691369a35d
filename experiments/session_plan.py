"""Plans of sessions: trials and journal, and the check that the two belong together."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from experiments.course.constant import course_of
from experiments.course.course import Course
from experiments.design import Design, check_participant, check_run, check_session, seed_of
from experiments.screen import check_scale
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import DisplayError, JournalError
from stimuli_store.journal import Session, has_begun, read_session
from stimuli_store.records.canonical import canonical_json
from stimuli_store.records.convert import to_json
from stimuli_store.records.trials import SessionHeader, Trial
from stimuli_store.tools.environment import environment
from stimuli_store.tools.gates import a_path, a_text, takes
from stimuli_store.tools.shown import FactSheet

COMPLETED = "completed"
#: Names of what differs between two sittings.
Changes = tuple[str, ...]

_MUST_AGREE = {
    "participant": "participant",
    "session": "session",
    "run": "run",
    "pin": "bank",
    "seed": "seed",
    "n_trials": "number of trials",
    "observer": "observer",
}
#: Tables of a design that may change between sittings if that is accepted.
_MAY_CHANGE = ("screen", "keys")
#: What a booth says of itself that stays the same on the same screen and keyboard.
_BOOTH = ("refresh_hz", "screen", "window", "fullscreen", "renderer", "synchronised", "keyboard")
_MOST_NAMED = 6
_LONGEST = 60


@dataclass(frozen=True, kw_only=True, repr=False)
class SessionPlan(FactSheet):
    """A session before it is run: its course, seed and journal, and the session found in the journal.

    Attributes
    ----------
    participant
        Name of the participant.
    session, run
        Numbers of the session, and of the run within it, from 1.
    course
        The trials, and which of them is next.
    journal
        Path of the journal.
    seed
        Seed of the session's random numbers (`seed_of`).
    found
        The session in the journal; None for one that has not begun.
    observer
        True parameters of a simulated observer; None for a person.
    uncalibrated
        True if the bank holds linear light that a screen without calibration is to show.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from pathlib import Path
    >>> from stimsynth import plan_session, read_design
    >>> plan = plan_session(read_design("design.toml"), bank, "S09", 1, Path("data"))
    >>> plan.done, plan.completed
    (0, False)
    """

    participant: str
    session: int
    run: int
    course: Course
    journal: Path
    seed: int
    found: Session | None
    observer: Mapping[str, Any] | None = None
    uncalibrated: bool = False

    def _facts(self) -> list[tuple[str, object]]:
        return [
            ("participant", self.participant),
            ("session", self.session),
            ("run", self.run),
            ("trials", f"{self.done} of {len(self.trials)} done"),
            ("simulated", (self.observer or {}).get("model", "")),
            ("journal", self.journal),
        ]

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All trials that are planned, in order."""
        return self.course.trials

    @property
    def done(self) -> int:
        """Number of finished trials; a repeated trial counts once."""
        return len({r.trial.index for r in self.found.records}) if self.found else 0

    @property
    def completed(self) -> bool:
        """True if the session is completed, so that no trial is left."""
        return self.found is not None and self.found.ended == COMPLETED


@takes(data_dir=a_path, participant=a_text, task=a_text)
def journal_path(
    data_dir: str | os.PathLike[str], participant: str, session: int, task: str, run: int = 1
) -> Path:
    """Return the path of the journal of a session, with the entities of BIDS in its name.

    Parameters
    ----------
    data_dir
        Folder of the journals.
    participant
        Name of the participant, 1 to 32 letters, digits or ``+``.
    session
        Number of the session, 1 to 99.
    task
        Name of the task, of which letters and digits are kept.
    run
        Number of the run, 1 to 99.

    Raises
    ------
    InputError
        If the participant's name or a number is another.

    Examples
    --------
    >>> journal_path(Path("data"), "S01", 1, "mad-pair").name
    'sub-S01_ses-01_task-madpair_run-1_beh.jsonl'
    """
    label = "".join(letter for letter in task if letter.isalnum())
    check_participant(participant)
    names = f"sub-{participant}_ses-{check_session(session):02d}_task-{label}_run-{check_run(run)}"
    return Path(data_dir) / f"{names}_beh.jsonl"


def plan_session(
    design: Design,
    bank: Bank,
    participant: str,
    session: int,
    data_dir: str | os.PathLike[str],
    *,
    run: int = 1,
    observer: Mapping[str, Any] | None = None,
    uncalibrated: bool = False,
    accept_changes: bool = False,
) -> SessionPlan:
    """Return the plan of a session, checked against its journal if there is one; nothing is written.

    Parameters
    ----------
    design
        The design, from `read_design` or `design_from`.
    bank
        The bank that the design pins.
    participant
        Name of the participant, 1 to 32 letters, digits or ``+``.
    session
        Number of the session, 1 to 99.
    data_dir
        Folder of the journals.
    run
        Number of the run, if the same task is done again in one session.
    observer
        True parameters of a simulated observer; None for a person.
    uncalibrated, accept_changes
        As for `experiments.session.run_session`.

    Raises
    ------
    InputError
        If the participant's name or a number is another, or the bank lacks what the design asks for.
    PinMismatch
        If `bank` is not the bank that the design pins.
    DisplayError
        If the bank holds linear light, which only a calibrated screen can show, or is meant for another
        number of pixels per degree.
    JournalError
        If the journal is damaged, or was begun with another design, bank or observer.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from pathlib import Path
    >>> from stimsynth import read_design
    >>> plan = plan_session(read_design("design.toml"), bank, "S09", 1, Path("data"))
    >>> plan.journal.name
    'sub-S09_ses-01_task-abx_run-1_beh.jsonl'
    """
    number = check_session(session)
    journal = journal_path(data_dir, participant, number, design.task.name, run)
    linear = bank.header.colour.transfer == "linear"
    if linear and not uncalibrated:
        raise DisplayError(
            f'{bank.pin} holds linear light (transfer = "linear"), which only a calibrated screen shows as '
            "it is meant, and this screen is not calibrated; --uncalibrated shows it nevertheless"
        )
    check_scale(design.screen, bank.header.ppd)
    plan = SessionPlan(
        participant=participant,
        session=number,
        run=run,
        course=course_of(design, bank, participant, number, run),
        journal=journal,
        seed=seed_of(design, participant, number, run),
        found=read_session(journal) if has_begun(journal) else None,
        observer=observer,
        uncalibrated=linear,
    )
    if plan.found is not None:
        check_same(plan.found, header_of(design, plan), plan.trials, journal, accept_changes)
    return plan


def check_same(
    found: Session,
    header: SessionHeader,
    trials: Sequence[Trial],
    path: Path,
    accept_changes: bool = False,
) -> Changes:
    """Return the accepted differences from the last sitting; raise JournalError for any other.

    Parameters
    ----------
    found
        The session in the journal.
    header
        Header that this sitting would write; without a booth that part is not compared.
    trials
        Trials that are planned.
    accept_changes
        Whether another screen, refresh rate or keyboard is accepted.

    Raises
    ------
    JournalError
        If participant, session, design, bank, seed, observer or the trials so far differ, or the screen or
        keyboard does and that is not accepted. Keys of the design that differ are named.
    """
    old_design = next((s.design for s in reversed(found.sittings) if s.design), found.header.design)
    changed = list(
        _different(
            {**to_json(old_design), "task": to_json(found.header.task)},
            {**to_json(header.design), "task": to_json(header.task)},
        )
    )
    fixed = [words for key, words in changed if key.split(".")[0] not in _MAY_CHANGE]
    if fixed:
        raise JournalError(
            f"{path} was begun with another design, which differs in {_listed(fixed)}; continue it with "
            "the same, or start a session under another number or in another folder"
        )
    old, new = to_json(found.header), to_json(header)
    there, here = (
        {word: said.get(key) for key, word in _MUST_AGREE.items()} for said in (old, new)
    )
    others = [said for _, said in _different(there, here)]
    if others:
        raise JournalError(
            f"{path} was begun with another {_listed(others)}; continue it with the same, or start a session "
            "under another number or in another folder"
        )
    began, goes_on = (h.booth.get("adapter") for h in (found.header, header))
    if goes_on and began != goes_on:
        raise JournalError(
            f"{path} was begun in the {began} booth, not in the {goes_on} booth, and a session uses one "
            "booth; continue it there, or start a session under another number"
        )
    words = [said for _, said in changed]
    if header.booth:
        words += _other_booth(found.booths[-1], header.booth)
    if words and not accept_changes:
        raise JournalError(
            f"{path} was begun with another screen or keyboard, which differs in {_listed(words)}; continue "
            "it there, or accept the change with --accept-changes, which the journal records"
        )
    timed = not words and not any(sitting.accepted for sitting in found.sittings)
    if not all(_is_planned(record.trial, trials, timed) for record in found.records):
        raise JournalError(
            f"{path} holds other trials than this release makes from the same design; finish it "
            f"with the release that began it ({dict(found.header.software)})"
        )
    return tuple(words)


def header_of(
    design: Design, plan: SessionPlan, *, booth: Mapping[str, Any] | None = None
) -> SessionHeader:
    """Return the header of a session's journal, with the versions of the running software."""
    return SessionHeader(
        participant=plan.participant,
        session=plan.session,
        run=plan.run,
        task=design.task,
        design=design.content,
        design_sha256=design.design_sha256,
        pin=design.bank.pin,
        seed=plan.seed,
        n_trials=len(plan.trials),
        booth=booth or {},
        software=environment(),
        created=now(),
        observer=plan.observer,
        uncalibrated=plan.uncalibrated,
    )


def now() -> str:
    """Return date and time with the time zone as text (ISO 8601, to the millisecond)."""
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


def _other_booth(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    before, after = ({k: v for k, v in said.items() if k in _BOOTH} for said in (old, new))
    return [f"the booth's {words}" for _, words in _different(to_json(before), to_json(after))]


def _is_planned(trial: Trial, trials: Sequence[Trial], timed: bool) -> bool:
    if not 0 <= trial.index < len(trials):
        return False
    planned = replace(trials[trial.index], attempt=trial.attempt)
    return trial == (planned if timed else replace(planned, phases=trial.phases))


def _different(
    old: Mapping[str, Any], new: Mapping[str, Any], within: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield the key of every value that differs, and words that say how."""
    for key in dict.fromkeys([*old, *new]):
        name = f"{within}{key}"
        one, two = old.get(key), new.get(key)
        if canonical_json(one) == canonical_json(two):
            continue
        before, after = _as_table(one), _as_table(two)
        parts: list[tuple[str, str]] = []
        if before is not None and after is not None:
            parts = [*_different(before, after, f"{name}.")]
        yield from parts or [(name, f"{name} ({_shown(one)} there, {_shown(two)} here)")]


def _as_table(value: Any) -> Mapping[str, Any] | None:
    """Return a table, or a list of tables by their names or numbers; None for other values."""
    if isinstance(value, list) and value and all(isinstance(entry, Mapping) for entry in value):
        return {str(entry.get("name", place)): entry for place, entry in enumerate(value)}
    return value if isinstance(value, Mapping) else None


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = canonical_json(value).decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _MOST_NAMED
    return ", ".join(words[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
