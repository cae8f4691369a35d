"""Constant stimuli: the trials of a session in blocks, each of which holds every cell equally often."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.balance import latin_square, row_of
from experiments.comparisons import CATCH, COMPARISONS
from experiments.course.again import PlannedCourse
from experiments.course.spacing import check_distance, spaced, with_short_runs
from experiments.design import Design, seed_of
from experiments.sampling import Sampling
from experiments.selection import Filling, Sets, check_choice
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError, PinMismatch
from stimuli_store.records.trials import Trial
from stimuli_store.tasks.trial_plan import arrange, phases_at
from stimuli_store.tasks.types import REFERENCE, Cell, Task

#: Largest ratio of the share of catch trials to the one asked for, which small blocks raise.
_MOST_CATCH = 2.0
_ORDER, _JITTER = 0, 2  # streams of a session's seed; 1 is that of simulated answers


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A trial before it has a place: comparison, stimuli and cell."""

    comparison: str
    filling: Filling
    cell: Cell

    @property
    def factors(self) -> dict[str, float | str | None]:
        """Factors of the trial."""
        return {"comparison": self.comparison, **self.filling.factors}

    @property
    def image(self) -> Hashable:
        """Name of the target, whose repeats are kept apart."""
        return self.filling.factors["target"]


def course_of(
    design: Design, bank: Bank, participant: str, session: int, run: int = 1
) -> PlannedCourse:
    """Return the course of one session.

    The same design, participant, session and run always give the same course; others give another order.

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
    run
        Number of the run, 1 to 99, if the same task is done again in one session.

    Raises
    ------
    PinMismatch
        If `bank` is not the bank the design pins.
    InputError
        If the bank lacks what the design asks for, repeats do not fill the cells of every block, blocks
        cannot be divided, or an order with the wanted distance or runs is not possible.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import read_design
    >>> design = read_design("design.toml")
    >>> one, again = (course_of(design, bank, "S01", session=1).trials for _ in range(2))
    >>> len(one), one == again
    (64, True)
    """
    if bank.pin != design.bank.pin:
        raise PinMismatch(f"the design pins {design.bank.pin}, but {bank.path} is {bank.pin}")
    seed = seed_of(design, participant, session, run)
    rng = np.random.default_rng([seed, _ORDER])
    sampling, task = design.design, design.task
    pairs = pairs_of(sampling, bank, task)
    row = row_of(participant, session, sampling.latin) if sampling.latin is not None else None
    blocks = list(_blocks(pairs, sampling, task, row, rng))
    if sampling.catch:
        _add_catch(blocks, bank, design)
    units = _ordered(blocks, sampling, rng)
    return PlannedCourse(
        trials=tuple(
            _trial(unit, index, block, design, np.random.default_rng([seed, _JITTER, index]))
            for index, (block, unit) in enumerate(units)
        ),
        again=sampling.again,
        times=sampling.again_times,
    )


def pairs_of(sampling: Sampling, bank: Bank, task: Task) -> list[tuple[str, Filling]]:
    """Return the pairs of stimuli that a design compares, each with the name of its comparison.

    Raises
    ------
    InputError
        If the bank lacks what the design names, no pair is left, or the task shows a reference and a
        comparison has none.
    """
    check_choice(bank, _sets(sampling, bank, ""))
    pairs = [
        (name, filling)
        for name in sampling.comparisons
        for filling in _fillings(name, sampling, bank, task)
    ]
    if not pairs:
        raise InputError(
            f"the design's comparisons select no pair of {bank.pin}; a comparison of two members needs sets "
            "of two members or more, and identification two targets of one shape"
        )
    return pairs


def _sets(sampling: Sampling, bank: Bank, name: str) -> Sets:
    return Sets(
        bank=bank,
        comparison=name,
        kinds=sampling.kinds,
        labels=sampling.sets,
        targets=sampling.targets,
        levels=sampling.levels,
    )


def _fillings(name: str, sampling: Sampling, bank: Bank, task: Task) -> Iterator[Filling]:
    shows_reference = any(REFERENCE in cell.fills.values() for cell in task.cells)
    for filling in COMPARISONS[name](_sets(sampling, bank, name), sampling):
        if shows_reference and filling.reference is None:
            raise InputError(
                f"the task {task.name!r} shows a reference beside the two stimuli, which the comparison "
                f"{name!r} does not have; use 'mad-pair', or another task"
            )
        yield filling


def _blocks(
    pairs: Sequence[tuple[str, Filling]],
    sampling: Sampling,
    task: Task,
    row: int | None,
    rng: np.random.Generator,
) -> Iterator[list[Unit]]:
    if sampling.order == "interleaved":
        sampling.check_counts(len(task.cells))
        times = sampling.repeats // (len(task.cells) * sampling.blocks)
        for _ in range(sampling.blocks):
            yield _units(pairs, task, times)
        return
    groups = _by_factor(pairs, str(sampling.blocked_by))
    sampling.check_counts(len(task.cells), len(groups))
    rounds = sampling.blocks // len(groups)
    times = sampling.repeats // (len(task.cells) * rounds)
    square = latin_square(len(groups))
    for turn in range(rounds):
        if row is None:
            order = [int(place) for place in rng.permutation(len(groups))]
        else:
            order = list(square[(row + turn) % len(square)])
        for place in order:
            yield _units(groups[place], task, times)


def _by_factor(
    pairs: Sequence[tuple[str, Filling]], factor: str
) -> list[list[tuple[str, Filling]]]:
    groups: dict[object, list[tuple[str, Filling]]] = defaultdict(list)
    for name, filling in pairs:
        factors = {"comparison": name, **filling.factors}
        if factor not in factors:
            raise InputError(
                f"blocked_by is {factor!r}, but a trial of the comparison {name!r} has the factors "
                f"{', '.join(factors)}"
            )
        groups[factors[factor]].append((name, filling))
    return list(groups.values())


def _units(pairs: Sequence[tuple[str, Filling]], task: Task, times: int) -> list[Unit]:
    return [
        Unit(comparison=name, filling=filling, cell=cell)
        for name, filling in pairs
        for cell in task.cells
        for _ in range(times)
    ]


def _add_catch(blocks: Sequence[list[Unit]], bank: Bank, design: Design) -> None:
    """Add catch trials to every block: all cells of one pair after the other, up to their share."""
    sampling, task = design.design, design.task
    needed = len(task.cells)
    known = list(_fillings(CATCH, sampling, bank, task))
    share, number = sampling.catch / (1 - sampling.catch), 0
    for block in blocks:
        fitting = known
        if sampling.blocked_by in ("target", "set"):
            value = block[0].factors[sampling.blocked_by]
            same = [filling for filling in known if filling.factors[sampling.blocked_by] == value]
            fitting = same or known
        groups = max(1, round(share * len(block) / needed))
        least = needed / (needed + len(block))
        if groups == 1 and least > _MOST_CATCH * sampling.catch + 1e-9:
            raise InputError(
                f"catch is {sampling.catch:g}, but a catch pair is shown in all {needed} cells of the task, "
                f"which is {least:.2g} of a block with {len(block)} other trials; give that share, or larger "
                "blocks"
            )
        for _ in range(groups):
            block += _units([(CATCH, fitting[number % len(fitting)])], task, 1)
            number += 1


def _ordered(
    blocks: Sequence[Sequence[Unit]], sampling: Sampling, rng: np.random.Generator
) -> Iterator[tuple[int, Unit]]:
    """Yield number of the block and unit of every trial, in order."""
    images = [[unit.image for unit in block] for block in blocks]
    for one in images:
        check_distance(one, sampling.min_distance, blocks=len(blocks))
    before: list[str] = []
    orders = spaced(images, sampling.min_distance, rng)
    for number, (block, order) in enumerate(zip(blocks, orders, strict=True)):
        by_image: dict[Hashable, list[Unit]] = defaultdict(list)
        for unit in block:
            by_image[unit.image].append(unit)
        answers = {image: [u.cell.answer for u in units] for image, units in by_image.items()}
        chosen = with_short_runs(order, answers, sampling.max_run, rng, before=before)
        for image, place in zip(order, chosen, strict=True):
            unit = by_image[image][place]
            before.append(unit.cell.answer)
            yield number, unit


def _trial(unit: Unit, index: int, block: int, design: Design, rng: np.random.Generator) -> Trial:
    task, filling = design.task, unit.filling
    low, high = task.contrast
    stimuli = {low: filling.low, high: filling.high}
    if filling.reference is not None:
        stimuli[REFERENCE] = filling.reference
    shown, answer = arrange(task, stimuli, unit.cell)
    screen = design.screen
    return Trial(
        index=index,
        task=task.name,
        rule=design.rule,
        stimuli=stimuli,
        intervals=shown,
        answer=answer,
        phases=phases_at(task, screen.refresh_hz, rng, tolerance_ms=screen.tolerance_ms),
        factors=unit.factors,
        made=filling.made,
        block=block,
    )
