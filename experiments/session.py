"""Run sessions: show each trial, check it, write it to the journal; continue after any interruption."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from experiments.course.again import ABORT, fault_of
from experiments.design import Design
from experiments.interrupts import Interrupts
from experiments.outcome import record_of
from experiments.pictures import check_frames, frames_of, shape_of, wrong_intervals
from experiments.ports import Booth, Interrupted, Listening, Observer, Quit
from experiments.scene import check_scenes, slides_of
from experiments.session_plan import (
    COMPLETED,
    Changes,
    SessionPlan,
    check_same,
    header_of,
    now,
    plan_session,
)
from experiments.simulated import SimulatedPerson
from experiments.texts import texts_of
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import DisplayError, StimsynthError
from stimuli_store.journal import Journal, Session
from stimuli_store.records.convert import to_json
from stimuli_store.records.events import Began, End, Page, Resumed
from stimuli_store.records.trials import SessionHeader, Trial, TrialRecord
from stimuli_store.tools.progress import progress_bar
from stimuli_store.tools.whole import whole

ESCAPE = "escape"
PAUSED = "paused"
MISMATCH = "display_mismatch"
#: Flag of a trial that was begun before and broken off, so that some of its pictures were seen already.
SEEN_BEFORE = "seen_before"


def run_session(
    design: Design,
    bank: Bank,
    booth: Booth,
    participant: str,
    session: int,
    *,
    data_dir: str | os.PathLike[str],
    run: int = 1,
    observer: Observer | None = None,
    max_trials: int | None = None,
    uncalibrated: bool = False,
    accept_changes: bool = False,
    progress: bool = False,
) -> Session:
    """Run a session, or the rest of it, and return the session in its journal.

    Every finished trial is on the disk before the next begins. A session that ended early (quit key,
    signal, power cut) is continued at its first unfinished trial, in the same order; a completed one
    is returned and nothing is shown.

    Parameters
    ----------
    design
        The design, from `read_design` or `design_from`.
    bank
        The bank that the design pins.
    booth
        Where trials are shown. It is not closed here.
    participant
        Name of the participant, 1 to 32 letters, digits or ``+``.
    session
        Number of the session, 1 to 99.
    data_dir
        Folder of the journals; made if missing.
    run
        Number of the run, if the same task is done again in one session.
    observer
        A simulated participant; None for a person.
    max_trials
        Stop after so many trials in this sitting (reason ``"paused"``).
    uncalibrated
        Show a bank of linear light although the screen is not calibrated; the header says so.
    accept_changes
        Continue on another screen, refresh rate or keyboard; the journal says so.
    progress
        Whether to show a progress bar (never when stderr is not a terminal).

    Raises
    ------
    InputError, PinMismatch
        As for `plan_session`.
    JournalError
        If another process runs this session, or the journal belongs to another design.
    DisplayError
        If the frames do not fit the screen (then nothing is written), or a frame on the screen was not
        the certified one (the journal says which).

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import SimulatedBooth, calibrated_observer, course_of, evidence_of, read_design
    >>> design = read_design("design.toml")
    >>> trials = course_of(design, bank, "S04", session=1).trials
    >>> observer = calibrated_observer("right", evidence_of(bank, "right"), trials, design.task)
    >>> booth = SimulatedBooth(design.screen.size, design.screen.refresh_hz)
    >>> from pathlib import Path
    >>> session = run_session(
    ...     design, bank, booth, "S04", 1, data_dir=Path("data"), observer=observer, max_trials=3
    ... )
    >>> len(session.records)
    3
    """
    plan = plan_session(
        design,
        bank,
        participant,
        session,
        data_dir,
        run=run,
        observer=dict(observer.describe()) if observer is not None else None,
        uncalibrated=uncalibrated,
        accept_changes=accept_changes,
    )
    if plan.found is not None and plan.completed:
        return plan.found
    trials = plan.course.trials
    check_frames(trials, bank)
    shapes = [{name: shape_of(trial, name, bank) for name in trial.intervals} for trial in trials]
    check_scenes(design.task, shapes, design.screen, booth.size, bank.header.ppd)
    header = header_of(design, plan, booth=booth.describe())
    limit = None if max_trials is None else whole(max_trials, "max_trials", 0)
    with Journal(plan.journal) as journal:
        _open(journal, header, plan, accept_changes)
        with (
            Interrupts() as interrupts,
            progress_bar(len(trials), "trial", done=plan.done, delay_s=0, shown=progress) as bar,
            suppress(Interrupted),  # a signal after the end event changes nothing
        ):
            person = SimulatedPerson(observer, plan.seed) if observer is not None else None
            _Sitting(journal, design, bank, booth, interrupts, plan, person).run(limit, bar)
        return journal.session


class _Sitting:
    """One sitting of a session: journal, bank, booth and interrupts of the trial loop."""

    def __init__(
        self,
        journal: Journal,
        design: Design,
        bank: Bank,
        booth: Booth,
        interrupts: Interrupts,
        plan: SessionPlan,
        person: SimulatedPerson | None,
    ) -> None:
        self._journal = journal
        self._design = design
        self._bank = bank
        self._booth = booth
        self._interrupts = interrupts
        self._course = plan.course
        self._person = person
        self._texts = texts_of(design.texts, design.task, design.keys)
        begun = journal.session
        self._records = list(begun.records)
        self._broken_off = begun.broken_off

    def run(self, limit: int | None, bar: Any) -> None:
        """Show trials until none is left or `limit` were shown; write why the sitting ended."""
        try:
            self._interrupts.check()
            reason = self._trials(limit, bar)
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
            self._end(reason)
            with suppress(Quit, Interrupted):  # everything is saved
                self._page("thanks" if reason == COMPLETED else "pause")

    def _trials(self, limit: int | None, bar: Any) -> str:
        """Show trials, and return why they ended."""
        shown, break_every = 0, self._design.design.break_every
        while True:
            trial = self._course.next(self._records, self._broken_off)
            if trial is None:
                return COMPLETED
            if limit is not None and shown >= limit:
                return PAUSED
            if not shown:
                self._page("resume" if self._records else "welcome")
            elif break_every and len(self._records) % break_every == 0:
                self._page("rest")
            record = self._one(trial)
            shown += 1
            bar.update()
            fault = fault_of(record)
            if fault and self._design.design.again == ABORT:
                return f"abort: {fault} in trial {trial.index}"

    def _one(self, trial: Trial) -> TrialRecord:
        """Show one trial and write it down."""
        design = self._design
        slides = slides_of(
            design.task,
            trial,
            frames_of(trial, self._bank),
            design.screen,
            self._booth.size,
            ppd=self._bank.header.ppd,
            answer_hint=self._texts.answer,
        )
        began = Began(index=trial.index, attempt=trial.attempt, at=now())
        with self._interrupts.shielded():
            self._journal.append("began", began)
        shown = self._booth.show(slides, self._listening(trial))
        answers, period_s = design.answer_keys, self._booth.period_s
        record = record_of(trial, design.task, shown, answers, period_s)
        if any(index == trial.index for index, _ in self._broken_off):
            record = replace(record, flags=(*record.flags, SEEN_BEFORE))
        wrong = wrong_intervals(record, self._bank)
        with self._interrupts.shielded():
            self._journal.append(MISMATCH if wrong else "trial", record)
        if wrong:
            raise DisplayError(
                f"trial {trial.index}: the screen did not show the frame that {self._bank.pin} "
                f"certifies in interval {', '.join(wrong)}; the trial does not count, and the "
                f"journal records it as {MISMATCH!r}"
            )
        self._records.append(record)
        return record

    def _listening(self, trial: Trial) -> Listening:
        design = self._design
        script = None
        if self._person is not None:
            # A trial that was broken off is answered as it would have been; a repeated one anew.
            times = sum(record.trial.index == trial.index for record in self._records)
            given = self._person.answer(replace(trial, attempt=times))
            script = (design.keys[given.response], given.rt_s)
        return Listening(
            phase=next(i for i, phase in enumerate(trial.phases) if phase.listens),
            keys=frozenset(design.answer_keys),
            quit=design.quit_key,
            script=script,
        )

    def _page(self, which: str) -> None:
        done = len({record.trial.index for record in self._records})
        text = self._texts.page(which, done, len(self._course.trials))
        from_s, until_s = self._booth.page(text, quit_key=self._design.quit_key)
        with self._interrupts.shielded():
            page = Page(which=which, from_s=from_s, until_s=until_s, at=now())
            self._journal.append("page", page)

    def _end(self, reason: str) -> None:
        with self._interrupts.held():
            if self._journal.sound:
                self._journal.append("end", End(reason=reason, at=now()))


def _open(journal: Journal, header: SessionHeader, plan: SessionPlan, accept_changes: bool) -> None:
    """Write the first event of this sitting."""
    if not journal.events:
        journal.append("header", header)
        return
    found = journal.session
    accepted = check_same(found, header, plan.course.trials, plan.journal, accept_changes)
    journal.append("resumed", _resumed(found, header, accepted))


def _resumed(found: Session, header: SessionHeader, accepted: Changes) -> Resumed:
    design: Mapping[str, Any] = header.design
    return Resumed(
        done=len(found.records),
        booth=to_json(header.booth),
        software=to_json(header.software),
        created=header.created,
        design=design if accepted else None,
        accepted=accepted,
    )
