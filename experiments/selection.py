"""The sets of a bank that a design chooses from, and fillings: the stimuli of one comparison."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from stimuli_store.bank.reading import Bank
from stimuli_store.errors import BankError, InputError, unknown_name
from stimuli_store.records.stimulus import StimulusRecord
from stimuli_store.records.trials import Perturbation
from stimuli_store.tasks.types import REFERENCE

Factors = Mapping[str, float | str | None]
SetMembers = tuple[StimulusRecord, ...]


@dataclass(frozen=True, kw_only=True)
class Filling:
    """Two stimuli that are told apart.

    Attributes
    ----------
    low, high
        Stimulus ids: the one whose percept lies at 0, and the one at d'.
    reference
        Stimulus id of what one is nearer to than the other; None where the comparison has no such image.
    factors
        What the trial is a case of, without the name of the comparison.
    made
        How stimuli are made that the bank does not hold.
    """

    low: str
    high: str
    reference: str | None = None
    factors: Factors = field(default_factory=dict)
    made: Mapping[str, Perturbation] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sets:
    """The sets of a bank, of which a design chooses some by kind, label, target and level (None: all).

    `comparison` is the name of the comparison, for errors.
    """

    bank: Bank
    comparison: str
    kinds: Collection[str] | None = None
    labels: Collection[str] | None = None
    targets: Collection[str] | None = None
    levels: Collection[float | str] | None = None

    def chosen(self, *kinds: str, any_level: bool = False) -> tuple[SetMembers, ...]:
        """Return the members of each chosen set of some kinds that have a frame and a chosen level.

        Raises
        ------
        InputError
            If the bank holds no set of these kinds (the kinds that it holds are named), or none is chosen.
        """
        of_kind = [m for m in self.bank.sets.values() if m[0].kind in kinds]
        if not of_kind:
            counts = Counter(record.kind for record in self.bank.records)
            held = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            raise InputError(
                f"the comparison {self.comparison!r} needs a set of {_either(kinds)}, and {self.bank.pin} "
                f"holds {held}"
            )
        found = [
            kept
            for members in of_kind
            if (self.labels is None or members[0].set in self.labels)
            and (self.kinds is None or members[0].kind in self.kinds)
            and (kept := tuple(self._kept(members, any_level)))
        ]
        if not found:
            raise InputError(
                f"the design's kinds, sets, targets and levels select nothing for the comparison "
                f"{self.comparison!r} from {self.bank.pin}; select more of them"
            )
        return tuple(found)

    def _kept(self, members: SetMembers, any_level: bool) -> Iterator[StimulusRecord]:
        for member in members:
            if self.targets is not None and target_name(member, self.bank) not in self.targets:
                continue
            unit = member.kind == "eigendistortion" and member.level is None
            if unit:
                yield member  # not shown itself
            elif any_level or self.levels is None or self._has(member):
                yield member

    def _has(self, member: StimulusRecord) -> bool:
        if member.kind == "eigendistortion":
            return True  # `amplitudes` choose, or `levels` by the function that makes the fillings
        return member.level is not None and member.level.value in (self.levels or ())


def target_name(member: StimulusRecord, bank: Bank) -> str:
    """Return the name of a member's target.

    Raises
    ------
    BankError
        If the bank does not hold it.
    """
    try:
        return bank.by_id[member.target].name
    except KeyError:
        raise BankError(f"{bank.pin} does not hold the target of {member.name}") from None


def factors_of(member: StimulusRecord, bank: Bank) -> dict[str, float | str | None]:
    """Return set, target, level and unit of a member, as factors of a trial."""
    level = member.level
    return {
        "set": member.set,
        "target": target_name(member, bank),
        "level": level.value if level else None,
        "unit": level.unit if level else None,
    }


def check_choice(bank: Bank, sets: Sets) -> None:
    """Check that the kinds, sets, targets and levels that a design names are in its bank.

    Raises
    ------
    InputError
        With one line for each name that is not there.
    """
    members = [r for r in bank.records if r.kind != REFERENCE]
    known_levels = {r.level.value for r in members if r.level}
    targets = sorted({target_name(r, bank) for r in members})
    faults = []
    for level in sets.levels or ():
        if level not in known_levels:
            known = ", ".join(map(_written, sorted(known_levels, key=_by_type)))
            faults.append(f"{bank.pin} has no level {_written(level)}; it has {known}")
    for target in sets.targets or ():
        if target not in targets:
            faults.append(str(unknown_name(f"target in {bank.pin}", target, targets)))
    for kind in sets.kinds or ():
        if kind not in (known_kinds := sorted({r.kind for r in members})):
            faults.append(str(unknown_name(f"kind in {bank.pin}", kind, known_kinds)))
    for label in sets.labels or ():
        if label not in bank.sets:
            faults.append(str(unknown_name(f"set in {bank.pin}", label, list(bank.sets))))
    if faults:
        raise InputError("\n".join(faults))


def _written(level: float | str) -> str:
    """Return a level as a design writes it: words in quotes, so that "8" is not 8."""
    return f'"{level}"' if isinstance(level, str) else f"{level:g}"


def _by_type(value: float | str) -> tuple[bool, float, str]:
    return (True, 0.0, value) if isinstance(value, str) else (False, value, "")


def _either(kinds: tuple[str, ...]) -> str:
    *some, last = kinds
    return f"{', '.join(some)} or {last}" if some else last
