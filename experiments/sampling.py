"""Comparisons, repeats and order of a design: the table ``[design]``."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from experiments.comparisons import CATCH, COMPARISONS, OF_AMPLITUDES
from stimuli_store.errors import InputError, unknown_name

MAX_REPEATS = 4096
_MOST_BLOCKS = 999


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Comparisons, repeats, and the order of trials.

    Attributes
    ----------
    comparisons
        Names of `experiments.comparisons.COMPARISONS`.
    repeats
        Trials for each pair of stimuli in a session: a multiple of the task's cells times the blocks that
        hold the pair.
    seed
        Of the order of trials.
    kinds, sets, targets, levels
        Choose from the bank: kinds of stimuli, labels of sets, names of targets, levels; all if they are not
        given.
    amplitudes
        Amplitudes of distortions that are to be shown, in the bank or not, where a comparison is of
        distortions; then `levels` choose for the other comparisons.
    break_every
        Trials between breaks; 0 for none.
    blocks
        Number of blocks. Each holds every cell of its pairs equally often.
    order
        ``"interleaved"``: every block holds all pairs; ``"blocked"``: a block holds one value of the factor
        `blocked_by`, and the blocks of all values follow one another.
    blocked_by
        Name of a factor: ``"comparison"``, ``"set"``, ``"target"``, ``"level"``, ``"amplitude"``, …
    latin
        Order of blocked values by a balanced Latin square: ``"number"`` takes the row from the digits at the
        end of the participant's name, a list of participants from the place in it; without it the order is
        random. The next session takes the next row.
    min_distance
        Smallest distance between two trials with the same target, also across blocks; 1 for none.
    max_run
        Longest run of one right answer; 0 for no limit.
    catch
        Share of catch trials (`experiments.comparisons.catch`). A catch pair is shown in all cells of the
        task, so small blocks raise the share, at most to twice.
    again
        What is done about trials with dropped frames or without an answer: ``"flag"`` keeps them with a
        flag, ``"repeat"`` shows them again at the end of the block, ``"abort"`` ends the sitting.
    again_times
        How often a trial is repeated at most.

    Raises
    ------
    InputError
        With one line for each fault: an unknown comparison, a number out of its range, amplitudes or an
        order that do not go with the rest.

    Examples
    --------
    >>> chosen = Sampling(comparisons=("reference-member",), repeats=8, blocks=2, seed=1)
    >>> chosen.order, chosen.blocks
    ('interleaved', 2)
    """

    comparisons: tuple[str, ...]
    repeats: int
    seed: int
    kinds: tuple[str, ...] | None = None
    sets: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    levels: tuple[float | str, ...] | None = None
    amplitudes: tuple[float, ...] | None = None
    break_every: int = 0
    blocks: int = 1
    order: Literal["interleaved", "blocked"] = "interleaved"
    blocked_by: str | None = None
    latin: Literal["number"] | tuple[str, ...] | None = None
    min_distance: int = 1
    max_run: int = 0
    catch: float = 0.0
    again: Literal["flag", "repeat", "abort"] = "flag"
    again_times: int = 1

    def __post_init__(self) -> None:
        faults = [*self._names(), *self._numbers(), *self._orders()]
        if faults:
            raise InputError("\n".join(faults))

    def _names(self) -> Iterator[str]:
        if not self.comparisons or len(set(self.comparisons)) != len(self.comparisons):
            yield (
                f"comparisons must name one or more of {', '.join(COMPARISONS)}, each once; "
                f"{list(self.comparisons)} was given"
            )
        for name in self.comparisons:
            if name not in COMPARISONS:
                yield str(unknown_name("comparison", name, list(COMPARISONS)))
        for name in ("kinds", "sets", "targets", "levels", "amplitudes"):
            if getattr(self, name) == ():
                yield f"{name} chooses nothing; name one or more in it, or leave it out for all"
        yield from self._amplitudes()

    def _amplitudes(self) -> Iterator[str]:
        if self.amplitudes is None:
            return
        if len(set(self.amplitudes)) != len(self.amplitudes):
            yield f"amplitudes must be named once each; not {list(self.amplitudes)}"
        if OF_AMPLITUDES not in self.comparisons:
            yield (
                f"amplitudes are those of the comparison {OF_AMPLITUDES!r}, which is not among "
                f"{', '.join(self.comparisons)}; leave them out, or add it"
            )
        if self.levels is not None and {*self.comparisons} <= {OF_AMPLITUDES, CATCH}:
            yield (
                f"amplitudes and levels both choose the amplitudes of {OF_AMPLITUDES!r}; give one of them"
            )

    def _numbers(self) -> Iterator[str]:
        for name, least, most in (
            ("repeats", 1, MAX_REPEATS),
            ("break_every", 0, 10**6),
            ("blocks", 1, _MOST_BLOCKS),
            ("min_distance", 1, 10**6),
            ("again_times", 1, 100),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                yield f"{name} must be a number from {least} to {most}; not {value}"
        if self.max_run < 0 or self.max_run == 1:
            yield f"max_run must be 2 or more, or 0 for no limit; not {self.max_run}"
        if not 0.0 <= self.catch <= 0.5:
            yield f"catch is a share of all trials from 0 to 0.5; not {self.catch:g}"
        if self.catch and CATCH in self.comparisons:
            yield "catch trials are asked for twice: as a comparison, and by their share"
        for value in self.amplitudes or ():
            if not (math.isfinite(value) and value > 0):
                yield f"an amplitude must be a positive number; not {value:g}"

    def _orders(self) -> Iterator[str]:
        if (self.order == "blocked") != (self.blocked_by is not None):
            yield (
                'order = "blocked" and blocked_by belong together; the factor is one of comparison, '
                "set, target, level, amplitude"
            )
        if self.latin is not None and self.order != "blocked":
            yield 'a Latin square orders blocks of one factor; give order = "blocked" and blocked_by'
        if isinstance(self.latin, tuple) and len(set(self.latin)) != max(1, len(self.latin)):
            yield "latin must name one participant or more, each once"

    def check_counts(self, n_cells: int, n_values: int | None = None) -> None:
        """Check that repeats fill the cells of a task in every block that holds a pair.

        Parameters
        ----------
        n_cells
            Number of cells of the task.
        n_values
            Number of values of the factor by which the session is blocked; None if it is not known yet.

        Raises
        ------
        InputError
            If repeats do not fill the cells, or blocks cannot be divided between the values.
        """
        holding = self.blocks
        if self.order == "blocked":
            if n_values is not None and self.blocks % n_values:
                few = "fewer" if self.blocks < n_values else "other"
                raise InputError(
                    f"{self.blocks} blocks are {few} than {self.blocked_by!r} can be divided into: it has "
                    f"{n_values} values in this design, so give a multiple of {n_values} blocks"
                )
            holding = 1 if n_values is None else self.blocks // n_values
        need = n_cells * holding
        if self.repeats % need:
            raise InputError(
                f"repeats is {self.repeats}, but every pair is balanced over {n_cells} cells in each of "
                f"{holding} {'block' if holding == 1 else 'blocks'}; give a multiple of {need}"
            )
