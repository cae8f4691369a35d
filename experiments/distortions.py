"""Fillings of a target against itself with a distortion added: frames of the bank, or made between them."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from experiments.selection import Filling, SetMembers, Sets, factors_of
from stimuli_store.errors import InputError
from stimuli_store.frames import perturb
from stimuli_store.records.stimulus import StimulusRecord
from stimuli_store.records.trials import Perturbation

KIND = "eigendistortion"
_MOST_CLIPPED = 0.01


def of_distortions(
    sets: Sets, amplitudes: Sequence[float] | None, levels: Collection[float | str] | None
) -> Iterator[Filling]:
    """Yield the fillings of every eigendistortion set.

    Parameters
    ----------
    sets
        The bank and what is chosen from it.
    amplitudes
        Amplitudes asked for; None for those of the bank.
    levels
        Of the bank's amplitudes, only these; None for all.

    Raises
    ------
    InputError
        If an amplitude lies outside those of the bank, is too small to change the frame without dither, or
        clips more than 1 % of the pixels.
    """
    for members in sets.chosen(KIND):
        shown = [m for m in members if m.level is not None]
        for member in shown if amplitudes is None else ():
            if levels is None or (member.level and member.level.value in levels):
                yield _held(member, sets)
        for unit in (m for m in members if m.level is None):
            for sign in _signs(unit, members):
                for amplitude in amplitudes or ():
                    found = [m for m in shown if m.role == unit.role + sign and _at(m) == amplitude]
                    if found:
                        yield _held(found[0], sets)
                    else:
                        _check_between(amplitude, [_at(m) for m in shown], sets)
                        yield _made(unit, sign, amplitude, sets)


def _held(member: StimulusRecord, sets: Sets) -> Filling:
    factors = {**factors_of(member, sets.bank), **_factors(member.role, _at(member))}
    return Filling(low=member.target, high=member.sha256, factors=factors)


def _made(unit: StimulusRecord, sign: str, amplitude: float, sets: Sets) -> Filling:
    dither = str(unit.spec.recipe.get("dither", "none")) if unit.spec else "none"
    how = Perturbation(
        target=unit.target,
        distortion=unit.sha256,
        amplitude=-amplitude if sign == "-" else amplitude,
        dither=dither,
        seed=unit.start.seed if unit.start else 0,
    )
    e = sets.bank.pixels(unit.sha256)
    largest = 255 * amplitude * float(np.abs(e).max())
    if dither == "none" and largest < 0.5:
        raise InputError(
            f"the amplitude {amplitude:g} of {unit.name!r} changes no pixel by half a level of 255 "
            f"({largest:.3g}), and this distortion is rounded without dither, so the picture would be its "
            "target"
        )
    frame = perturb(sets.bank.frame(unit.target).pixels, e, how.amplitude, how.dither, how.seed)
    if frame.clipped_fraction > _MOST_CLIPPED:
        raise InputError(
            f"the amplitude {amplitude:g} of {unit.name!r} clips {100 * frame.clipped_fraction:.1f} % of the "
            "pixels; at most 1 % is allowed"
        )
    factors = {
        **factors_of(unit, sets.bank),
        "level": amplitude,
        "unit": "amplitude",
        **_factors(unit.role + sign, amplitude),
    }
    return Filling(low=unit.target, high=frame.sha256, factors=factors, made={frame.sha256: how})


def _factors(role: str, amplitude: float) -> dict[str, float | str | None]:
    return {"distortion": role.rstrip("+-"), "sign": role[-1], "amplitude": amplitude}


def _signs(unit: StimulusRecord, members: SetMembers) -> list[str]:
    roles = {m.role for m in members}
    return [sign for sign in "+-" if unit.role + sign in roles] or ["+"]


def _at(member: StimulusRecord) -> float:
    assert member.level is not None and not isinstance(member.level.value, str)
    return member.level.value


def _check_between(amplitude: float, held: Sequence[float], sets: Sets) -> None:
    if held and not min(held) <= amplitude <= max(held):
        raise InputError(
            f"the amplitude {amplitude:g} lies outside those of {sets.bank.pin}, which are {min(held):g} to "
            f"{max(held):g}"
        )
