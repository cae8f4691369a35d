"""The question that a session asks before every trial: which one is next?"""

from collections.abc import Sequence
from typing import Protocol

from stimuli_store.records.trials import Trial, TrialRecord


class Course(Protocol):
    """Interface of a course of trials. It has no state: continuing a session is asking again.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import course_of, read_design
    >>> course = course_of(read_design("design.toml"), bank, "S01", session=1)
    >>> len(course.trials)
    64
    """

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All trials that are planned, in order, each once; repeated ones keep their index."""

    def next(
        self, records: Sequence[TrialRecord], broken_off: Sequence[tuple[int, int]] = ()
    ) -> Trial | None:
        """Return the next trial, or None if the session is completed.

        Parameters
        ----------
        records
            All finished trials, in order.
        broken_off
            Index and attempt of every trial that was begun and not finished.
        """
