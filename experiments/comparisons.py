"""Comparisons: which two stimuli of a bank are told apart, and what such a trial is a case of.

A comparison is a function from a bank to fillings; `COMPARISONS` names them. A filling gives the stimulus
whose percept lies at 0, the one at d', and the reference where the comparison has one.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from experiments.distortions import KIND, of_distortions
from experiments.selection import Filling, Sets, factors_of
from stimuli_store.bank.kinds import MAD_ROLES
from stimuli_store.records.stimulus import StimulusRecord

if TYPE_CHECKING:
    from experiments.sampling import Sampling

CATCH = "catch"
#: The comparison whose levels are amplitudes, which a design may choose.
OF_AMPLITUDES = "reference-distortion"


def reference_member(sets: Sets, sampling: "Sampling") -> Iterator[Filling]:
    """Yield each set's target against each of its members (metamers, external, optimized, noise, …)."""
    for members in sets.chosen(*_WHOLE):
        for member in members:
            if member.sha256 != member.target:
                factors = factors_of(member, sets.bank)
                yield Filling(low=member.target, high=member.sha256, factors=factors)


def member_member(sets: Sets, sampling: "Sampling") -> Iterator[Filling]:
    """Yield every two members of a set that have the same target and level, the earlier one as the lower."""
    for members in sets.chosen(*_WHOLE):
        for one, two in combinations(members, 2):
            if one.level == two.level and one.target == two.target:
                factors = factors_of(one, sets.bank)
                yield Filling(low=one.sha256, high=two.sha256, factors=factors)


def mad_pair(sets: Sets, sampling: "Sampling") -> Iterator[Filling]:
    """Yield the two members of a MAD set that share the held metric, the near one as the lower.

    ``held`` and ``pushed`` are the labels of the metrics; the reference is the target.
    """
    for members in sets.chosen("mad"):
        by_role = {member.role: member for member in members}
        for near_role, far_role in (MAD_ROLES[:2], MAD_ROLES[2:]):
            near, far = by_role[near_role], by_role[far_role]
            pushed = near_role.rsplit("_", 1)[0]
            held = "metric_2" if pushed == "metric_1" else "metric_1"
            factors = factors_of(near, sets.bank)
            labels = {"held": near.models[held].label, "pushed": near.models[pushed].label}
            yield Filling(
                low=near.sha256,
                high=far.sha256,
                reference=near.target,
                factors={**factors, **labels},
            )


def identification(sets: Sets, sampling: "Sampling") -> Iterator[Filling]:
    """Yield each member as a reference, with its target as the lower and another target: which one is it of?

    The other target is any reference of the bank that has the same shape; the members of a set take these in
    turn, and one for which there is none is passed over. ``other`` is its name.
    """
    bank = sets.bank
    order = [record.sha256 for record in bank.references.values()]
    for member in (m for members in sets.chosen(*_WHOLE) for m in members):
        if member.sha256 == member.target:
            continue
        own = order.index(member.target)
        others = [
            other
            for other in order[own + 1 :] + order[:own]
            if other not in member.targets and bank.by_id[other].shape == member.shape
        ]
        if not others:
            continue
        other = others[member.member % len(others)]
        yield Filling(
            low=member.target,
            high=other,
            reference=member.sha256,
            factors={**factors_of(member, bank), "other": bank.by_id[other].name},
        )


def reference_distortion(sets: Sets, sampling: "Sampling") -> Iterator[Filling]:
    """Yield each target against itself with a distortion added, at the amplitudes of the bank or the design.

    The amplitude is the level. An amplitude that the bank does not hold is made by
    `stimuli_store.frames.perturb` with the dither and seed of the set; its stimulus id is the hash of the
    frame.
    """
    yield from of_distortions(sets, sampling.amplitudes, sampling.levels)


def catch(sets: Sets, sampling: "Sampling") -> Iterator[Filling]:
    """Yield for each target the easiest pair: the target against a member of its largest level.

    A participant who attends answers these right, so they measure lapses. The member is of a kind that the
    design's comparisons use, and levels are compared within one unit, that of the target's first member;
    where no level is a number, that first member is taken. Chosen levels do not matter: the largest is
    meant to be easy.
    """
    kinds = [kind for name in sampling.comparisons for kind in _KINDS.get(name, ())]
    best: dict[str, StimulusRecord] = {}
    for members in sets.chosen(*dict.fromkeys(kinds or _ALL), any_level=True):
        for member in members:
            if not member.certificate.frame_sha256 or member.sha256 == member.target:
                continue
            known = best.setdefault(member.target, member)
            if _unit(member) == _unit(known) and _size(member) > _size(known):
                best[member.target] = member
    for member in best.values():
        yield Filling(low=member.target, high=member.sha256, factors=factors_of(member, sets.bank))


def _unit(member: StimulusRecord) -> str | None:
    return member.level.unit if member.level else None


def _size(member: StimulusRecord) -> float:
    value = member.level.value if member.level else None
    return -math.inf if value is None or isinstance(value, str) else value


#: Kinds whose members are compared as they are.
_WHOLE = ("metamer", "external", "optimized", "noise", "geodesic")
_KINDS: Mapping[str, tuple[str, ...]] = {
    "reference-member": _WHOLE,
    "member-member": _WHOLE,
    "mad-pair": ("mad",),
    "identification": _WHOLE,
    OF_AMPLITUDES: (KIND,),
}
_ALL = (*_WHOLE, "mad", KIND)
Comparison = Callable[[Sets, "Sampling"], Iterator[Filling]]

COMPARISONS: Mapping[str, Comparison] = {
    "reference-member": reference_member,
    "member-member": member_member,
    "mad-pair": mad_pair,
    "identification": identification,
    OF_AMPLITUDES: reference_distortion,
    CATCH: catch,
}
