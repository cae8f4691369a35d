"""Run sessions: show each trial, check it, write it to the journal; continue after any interruption."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from experiments.design import Design, check_session
from experiments.interrupts import Interrupts
from experiments.ports import Booth, Interrupted, Quit
from experiments.session_plan import COMPLETED, check_same, header_of, plan_session
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import DisplayError, StimsynthError
from stimuli_store.journal import Journal, Session, session_of
from stimuli_store.records.convert import to_json
from stimuli_store.records.trials import SessionHeader, Trial, TrialRecord
from stimuli_store.tools.progress import progress_bar
from stimuli_store.tools.whole import whole

ESCAPE = "escape"
PAUSED = "paused"
MISMATCH = "display_mismatch"


def run_session(
    design: Design,
    bank: Bank,
    booth: Booth,
    participant: str,
    session: int,
    *,
    data_dir: Path,
    observer: Mapping[str, Any] | None = None,
    max_trials: int | None = None,
    progress: bool = False,
) -> Session:
    """Run a session, or the rest of it, and return the session in its journal.

    Every finished trial is on the disk before the next begins. A session that ended early (quit key,
    signal, power cut) is continued at its first unfinished trial, in the same order; a completed one
    is returned and nothing is shown.

    Parameters
    ----------
    booth
        Where trials are shown. It is not closed here.
    data_dir
        Folder of the journals; made if missing.
    observer
        True parameters of a simulated observer; None for a person.
    max_trials
        Stop after so many trials in this sitting (reason ``"paused"``).
    progress
        Whether to show a progress bar (never when stderr is not a terminal).

    Raises
    ------
    JournalError
        If another process runs this session, or the journal belongs to another design.
    DisplayError
        If the frames do not fit the screen (then nothing is written), or a frame on the screen was not
        the certified one (the journal says which).
    """
    session = check_session(session)
    plan = plan_session(design, bank, participant, session, data_dir, observer=observer)
    if plan.found is not None and plan.completed:
        return plan.found
    shown = {sha for trial in plan.trials for sha in trial.intervals.values()}
    booth.check({bank.by_id[sha].shape for sha in shown})
    header = header_of(
        design,
        participant,
        session,
        plan.trials,
        seed=plan.seed,
        observer=observer,
        booth=booth.describe(),
    )
    total = len(plan.trials)
    with Journal(plan.journal) as journal:
        done = _open(journal, header, plan.trials)
        stop = (
            total if max_trials is None else min(done + whole(max_trials, "max_trials", 0), total)
        )
        with (
            Interrupts() as interrupts,
            progress_bar(total, "trial", done=done, delay_s=0, shown=progress) as bar,
            suppress(Interrupted),  # a signal after the end event changes nothing
        ):
            sitting = _Sitting(journal, bank, booth, interrupts)
            sitting.run(plan.trials, range(done, stop), design.design.break_every, bar)
        return session_of(journal.events, plan.journal)


class _Sitting:
    """One sitting of a session: journal, bank, booth and interrupts of the trial loop."""

    def __init__(self, journal: Journal, bank: Bank, booth: Booth, interrupts: Interrupts) -> None:
        self._journal = journal
        self._bank = bank
        self._booth = booth
        self._interrupts = interrupts
        self._sound = True  # False after a failed write: nothing may follow an incomplete line

    def run(self, trials: Sequence[Trial], todo: range, break_every: int, bar: Any) -> None:
        """Show the trials with indices `todo`, and write the reason of the end to the journal."""
        try:
            self._interrupts.check()
            if todo:
                self._booth.welcome(todo.start, len(trials))
            for index in todo:
                self._one(trials[index])
                bar.update()
                if break_every and (index + 1) % break_every == 0 and index + 1 < todo.stop:
                    self._booth.rest(index + 1, len(trials))
        except Quit:
            self._end(ESCAPE)
        except Interrupted as error:
            self._end(error.signal_name)
        except StimsynthError as error:
            self._end(f"error: {error}")
            raise
        except BaseException as error:
            self._end(f"error: {type(error).__name__}")
            raise
        else:
            self._end(COMPLETED if todo.stop == len(trials) else PAUSED)
            self._thank(todo.stop, len(trials))

    def _one(self, trial: Trial) -> None:
        pixels = {sha: self._bank.frame(sha).pixels for sha in set(trial.intervals.values())}
        frames = {name: pixels[sha] for name, sha in trial.intervals.items()}
        record = self._booth.show(trial, frames)
        wrong = _mismatches(record, self._bank)
        with self._interrupts.shielded():
            self._write(MISMATCH if wrong else "trial", record)
        if wrong:
            raise DisplayError(
                f"trial {trial.index}: the screen did not show the frame that {self._bank.pin} "
                f"certifies in interval {', '.join(wrong)}; the trial does not count, and the "
                f"journal records it as {MISMATCH!r}"
            )

    def _end(self, reason: str) -> None:
        with self._interrupts.held():
            if self._sound:
                self._write("end", {"reason": reason})

    def _write(self, event: str, body: Any) -> None:
        self._sound = False
        self._journal.append(event, body)
        self._sound = True

    def _thank(self, done: int, total: int) -> None:
        try:
            self._booth.farewell(done, total)
        except (Quit, Interrupted):
            return  # everything is saved, so leaving the last page early needs no event


def _open(journal: Journal, header: SessionHeader, trials: Sequence[Trial]) -> int:
    """Write the first event of this sitting, and return the number of finished trials."""
    if not journal.events:
        journal.append("header", header)
        return 0
    found = session_of(journal.events, journal.path)
    check_same(found, header, trials, journal.path)
    journal.append(
        "resumed",
        {
            "reason": None,
            "done": len(found.records),
            "booth": to_json(header.booth),
            "software": to_json(header.software),
            "created": header.created,
        },
    )
    return len(found.records)


def _mismatches(record: TrialRecord, bank: Bank) -> list[str]:
    certified = {
        name: bank.by_id[sha].certificate.frame_sha256
        for name, sha in record.trial.intervals.items()
    }
    return [name for name in certified if record.frame_sha256.get(name) != certified[name]]
