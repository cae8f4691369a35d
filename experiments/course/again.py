"""Trials in a planned order, of which some are shown again: the policy about faulty trials."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from experiments.outcome import DROPPED_FRAMES, NO_RESPONSE
from stimuli_store.records.trials import Trial, TrialRecord
from stimuli_store.tools.shown import FactSheet

#: Flags of a record that make a trial faulty.
FAULTS = frozenset({DROPPED_FRAMES, NO_RESPONSE})
REPEAT, ABORT = "repeat", "abort"


def fault_of(record: TrialRecord) -> str | None:
    """Return the first flag of a record that makes the trial faulty, or None."""
    return next((flag for flag in record.flags if flag in FAULTS), None)


@dataclass(frozen=True, kw_only=True, repr=False)
class PlannedCourse(FactSheet):
    """Course of trials whose order is known; faulty ones may be repeated at the end of their block.

    Attributes
    ----------
    trials
        In order; the index of each is its place.
    again
        ``"repeat"``: a faulty trial is shown again at the end of its block. Else it is not.
    times
        How often a trial is repeated at most.
    """

    trials: tuple[Trial, ...]
    again: str = "flag"
    times: int = 1

    def _facts(self) -> list[tuple[str, object]]:
        return [
            ("trials", len(self.trials)),
            ("blocks", len({trial.block for trial in self.trials})),
            ("task", ", ".join(sorted({trial.task for trial in self.trials}))),
            ("faulty trials", self.again),
        ]

    def next(
        self, records: Sequence[TrialRecord], broken_off: Sequence[tuple[int, int]] = ()
    ) -> Trial | None:
        """Return the next trial, or None if the session is completed; see `Course.next`.

        A trial that was broken off is shown again at once. `attempt` counts how often a trial was begun
        before.
        """
        place = self._place(records)
        if place is None:
            return None
        before = Counter(record.trial.index for record in records)
        before.update(index for index, _ in broken_off)
        return replace(self.trials[place], attempt=before[place])

    def _place(self, records: Sequence[TrialRecord]) -> int | None:
        """Return the index of the next trial."""
        if self.again != REPEAT:
            return len(records) if len(records) < len(self.trials) else None
        start, done = 0, 0
        while start < len(self.trials):
            block = self.trials[start].block
            queue = []
            while start < len(self.trials) and self.trials[start].block == block:
                queue.append(start)
                start += 1
            repeats: Counter[int] = Counter()
            while queue:
                index = queue.pop(0)
                if done == len(records):
                    return index
                if fault_of(records[done]) and repeats[index] < self.times:
                    repeats[index] += 1
                    queue.append(index)
                done += 1
        return None
