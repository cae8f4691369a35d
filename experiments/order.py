"""Make the trials of a session from a design and a bank, balanced and in a seeded order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from experiments.design import Design, Sampling, seed_of
from experiments.tasks.abx import CELLS, intervals, phases
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import BankError, InputError, PinMismatch, unknown_name
from stimuli_store.records.spec import Level
from stimuli_store.records.stimulus import StimulusRecord
from stimuli_store.records.trials import Trial

_ORDER, _ANSWERS = 0, 1  # streams of a session's seed


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two stimuli that observers tell apart. For ``"reference-metamer"`` the reference comes first."""

    ids: tuple[str, str]
    comparison: str
    set: str
    target: str
    level: Level


def pairs_of(sampling: Sampling, bank: Bank) -> tuple[Pair, ...]:
    """Return the pairs that a design compares, in the bank's order.

    Raises
    ------
    InputError
        If a level or target is not in the bank, or no pair is left.
    """
    sets = {label: m for label, m in bank.sets.items() if m[0].kind == "metamer"}
    levels = [_level(members[0]).value for members in sets.values()]
    targets = [_target(members[0], bank) for members in sets.values()]
    for level in sampling.levels or ():
        if level not in levels:
            known = ", ".join(f"{value:g}" for value in sorted(set(levels)))
            raise InputError(f"{bank.pin} has no level {level:g}; it has {known}")
    for target in sampling.targets or ():
        if target not in targets:
            raise unknown_name(f"target in {bank.pin}", target, sorted(set(targets)))
    pairs = [
        pair
        for members, level, target in zip(sets.values(), levels, targets, strict=True)
        if (sampling.levels is None or level in sampling.levels)
        and (sampling.targets is None or target in sampling.targets)
        for comparison in sampling.comparisons
        for pair in _pairs_of_set(members, comparison, target)
    ]
    if not pairs:
        raise InputError(
            f"the design's comparisons, levels and targets select no pair of {bank.pin}; "
            "select more of them (metamer-metamer needs sets of two members or more)"
        )
    return tuple(pairs)


def make_trials(design: Design, bank: Bank, participant: str, session: int) -> tuple[Trial, ...]:
    """Return the trials of one session in the order in which they are shown.

    Every pair is shown `repeats` times, equally often in each cell of order (which of the two is
    A) and answer (which of the two is X). The order is shuffled with a seed made of the design's
    seed, the participant and the session, so each participant has another order, and the same order
    every time.

    Raises
    ------
    PinMismatch
        If `bank` is not the bank the design pins.
    InputError
        If the design names a level or target that is not in the bank.
    """
    if bank.pin != design.bank.pin:
        raise PinMismatch(f"the design pins {design.bank.pin}, but {bank.path} is {bank.pin}")
    plan = phases(design.task, design.screen.refresh_hz)
    cells = [
        (pair, cell)
        for pair in pairs_of(design.design, bank)
        for cell in CELLS
        for _ in range(design.design.repeats // len(CELLS))
    ]
    order = np.random.default_rng([seed_of(design, participant, session), _ORDER])
    trials = []
    for index, place in enumerate(order.permutation(len(cells))):
        pair, cell = cells[place]
        shown, answer = intervals(pair.ids, cell)
        trials.append(
            Trial(
                index=index,
                task=design.task.name,
                rule=design.task.rule,
                intervals=shown,
                answer=answer,
                set=pair.set,
                target=pair.target,
                level=pair.level,
                comparison=pair.comparison,
                pair=pair.ids,
                phases=plan,
            )
        )
    return tuple(trials)


def answer_rng(seed: int, index: int) -> np.random.Generator:
    """Return the random generator of a simulated answer, one per trial.

    Examples
    --------
    >>> answer_rng(5, 3).random() == answer_rng(5, 3).random() != answer_rng(5, 4).random()
    True
    """
    return np.random.default_rng([seed, _ANSWERS, index])


def _pairs_of_set(
    members: Sequence[StimulusRecord], comparison: str, target: str
) -> Iterator[Pair]:
    if comparison == "reference-metamer":
        ids = [(member.target, member.sha256) for member in members]
    else:
        ids = list(combinations([member.sha256 for member in members], 2))
    for two in ids:
        yield Pair(
            ids=two,
            comparison=comparison,
            set=members[0].set,
            target=target,
            level=_level(members[0]),
        )


def _level(record: StimulusRecord) -> Level:
    if record.level is None:
        raise BankError(f"the metamer {record.name} has no level, so a design cannot use it")
    return record.level


def _target(record: StimulusRecord, bank: Bank) -> str:
    try:
        return bank.by_id[record.target].name
    except KeyError:
        raise BankError(f"{bank.pin} does not hold the target of {record.name}") from None
