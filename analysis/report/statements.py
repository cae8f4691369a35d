"""Statements on one condition in words: its threshold, or d' level by level."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.fits.fit_status import FitStatus
from analysis.infer.population import FEWEST, OWN_CRITERIA, caution_of
from analysis.observers.counted.dprime_result import DPrimeStatus
from analysis.report import formatting
from analysis.report.conditions import MISFIT_DRAWS, Condition, bounded, lowest_of, undetermined
from stimuli_store.tools.shown import p_value

#: Below this p-value a curve is said not to describe the answers.
MISFIT = 0.01
#: Why there is no d' at a level.
NO_CONTRAST = "without trials that differ and trials that do not there is no d'"
_MOST_LEVELS = 8


@dataclass(frozen=True, kw_only=True)
class Note:
    """A phrase that qualifies a statement; `alarming` if a reader must not overlook it."""

    text: str
    alarming: bool = False


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A result in words.

    Attributes
    ----------
    label, value
        The quantity and its value, with its unit.
    notes
        What qualifies it: interval, for whom it speaks, whether the curve fits.
    short
        The label where there is little room.
    kind
        ``""``, ``"true"`` for the truth about simulated observers, or ``"alarm"``.
    """

    label: str
    value: str
    notes: tuple[Note, ...]
    short: str
    kind: str = ""


def condition_statements(condition: Condition, p: float) -> Iterator[Statement]:
    """Yield the threshold of a condition, or d' at its levels, beside the truth of simulated observers."""
    if condition.preferences:
        return
    if condition.fit is None:
        yield from _dprimes(condition)
        return
    yield _threshold(condition, p)
    found, true = condition.estimate, condition.true_threshold
    if true is not None:
        inside = formatting.inside(found.low, true, found.high) if found else "no estimate"
        value = formatting.estimated(true, condition.unit)
        yield _truth("True threshold (simulated)", value, inside)


def _truth(label: str, value: str, where: str) -> Statement:
    note = Note(text=f"of the simulated observers: {where}")
    return Statement(label=label, value=value, notes=(note,), short="true", kind="true")


def _threshold(condition: Condition, p: float) -> Statement:
    fit, found = condition.fit, condition.estimate
    assert fit is not None
    notes = [Note(text=condition.name)]
    if found is None:
        notes.append(Note(text=undetermined(fit), alarming=True))
        value = "not determined"
    else:
        value = formatting.estimated(found.value, condition.unit)
        notes.append(
            Note(text=f"95 % interval {interval_words(condition)}, for {condition.for_whom}")
        )
        notes += _few(condition)
        if fit.status is FitStatus.EXTRAPOLATED:
            notes.append(Note(text=fit.status.value, alarming=True))
        if not fit.rising:
            notes.append(
                Note(text="proportion correct falls as the level grows, and so does the curve")
            )
    notes += caution_notes(condition)
    at = f"{formatting.percent(p)} correct"
    return Statement(
        label=f"Threshold at {at}",
        value=value,
        notes=tuple(notes),
        short="threshold",
    )


def interval_words(condition: Condition) -> str:
    """Return the interval of a condition's threshold in words; a dash if it has none."""
    found = condition.estimate
    if found is None or condition.fit is None:
        return "–"
    lowest = lowest_of(condition.fit)
    return formatting.bounds(found.low, found.high, condition.unit, lowest=lowest)


def _misfit_notes(condition: Condition) -> list[Note]:
    if condition.misfit is None or condition.misfit >= MISFIT:
        return []
    found = p_value(condition.misfit, MISFIT_DRAWS)
    return [
        Note(
            text=f"the curve does not describe the answers (goodness of fit, {found})",
            alarming=True,
        )
    ]


def caution_notes(condition: Condition) -> list[Note]:
    """Return notes on a curve that does not describe the answers, and on levels that follow them."""
    said = condition.levels_caution
    return _misfit_notes(condition) + ([Note(text=said, alarming=True)] if said else [])


def _few(condition: Condition) -> list[Note]:
    said = caution_of(condition.n_participants, condition.n_images)
    return [Note(text=said)] if said else []


def _dprimes(condition: Condition) -> Iterator[Statement]:
    """Yield d' at the levels with most answers, in the order of the levels."""
    most = np.argsort(-condition.n_trials, kind="stable").tolist()
    if any(condition.own_dprimes):  # a level of trials without a difference has no d' of its own
        most = [place for place in most if condition.own_dprimes[place]]
    for place in sorted(most[:_MOST_LEVELS]):
        (found, whom), true = condition.told_dprimes[place], condition.true_dprimes[place]
        if found is None or not bounded(found):
            yield _no_dprime(condition, place)
            continue
        ends = formatting.dprime_bounds(found)
        notes = [_where(condition, place), Note(text=f"95 % interval {ends}, for {whom}")]
        notes += _few(condition)
        if found.rates is not None and condition.n_participants >= FEWEST:
            notes.append(Note(text=f"nothing is said about other people: {OWN_CRITERIA}"))
        if found.rates is not None:
            notes.append(Note(text=formatting.rates(found)))
        if found.status is DPrimeStatus.BELOW_CHANCE:
            notes.append(Note(text=found.status.value, alarming=True))
        yield Statement(
            label="d′", value=formatting.number(found.estimate, 2), notes=tuple(notes), short="d'"
        )
        if true is not None:
            where = formatting.inside(found.low, true, found.high)
            yield _truth("True d′ (simulated)", formatting.number(true, 2), where)


def _no_dprime(condition: Condition, place: int) -> Statement:
    total = formatting.tally(condition.n_trials[place], "trial")
    notes = (
        _where(condition, place),
        Note(text=f"right in {condition.n_correct[place]:.0f} of {total}"),
        Note(
            text="that bounds d' on neither side" if condition.own_dprimes[place] else NO_CONTRAST,
            alarming=True,
        ),
    )
    return Statement(label="d′", value="not determined", notes=notes, short="d'")


def _where(condition: Condition, place: int) -> Note:
    level = condition.levels[place]
    if level is None:
        return Note(text=condition.name)
    return Note(text=f"{condition.name}, level {formatting.with_unit(level, condition.unit)}")
