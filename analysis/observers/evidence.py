"""Evidence: what a model says about the two stimuli of a trial, from the predictions in a bank.

It is a distance; or, where the task asks which stimulus is the higher and the trial has a reference, how much
farther from the reference the higher one is than the lower one, which is negative if the model disagrees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.interpolate import PchipInterpolator

from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError
from stimuli_store.records.predictions import Distances, Preferences
from stimuli_store.records.trials import Perturbation, Trial
from stimuli_store.tasks.types import REFERENCE, Task
from stimuli_store.tools.gates import a_text, like, takes

#: Pixel id of a unit distortion and sign of the amplitude.
_Direction = tuple[str, bool]
_Scale = tuple[np.ndarray, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Evidence of one model about trials.

    Attributes
    ----------
    model
        Label of the model.
    distances, preferences
        Its predictions (`stimuli_store.records.predictions`).
    amplitudes
        Unit distortion and sign to the amplitudes at which the bank holds the distorted image, ascending, and
        the pixel ids there; distances of amplitudes between them are interpolated.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import evidence_of
    >>> evidence_of(bank, "right").model
    'right'
    """

    model: str
    distances: Distances = field(repr=False)
    preferences: Preferences = field(default_factory=dict, repr=False)
    amplitudes: Mapping[_Direction, _Scale] = field(default_factory=dict, repr=False)

    def __call__(self, trial: Trial, task: Task) -> float:
        """Return the evidence about a trial of a task.

        Raises
        ------
        InputError
            If the trial has no stimulus for a role, or the model says nothing of this pair.
        """
        low, high = (_stimulus(trial, role) for role in task.contrast)
        if task.directed and REFERENCE in trial.stimuli:
            return self._preference(trial, trial.stimuli[REFERENCE], low, high)
        return self._distance(trial, low, high)

    def _preference(self, trial: Trial, reference: str, low: str, high: str) -> float:
        """Return how much farther `high` is from the reference than `low`."""
        for sign, triple in ((1, (reference, low, high)), (-1, (reference, high, low))):
            if triple in self.preferences:
                return sign * self.preferences[triple]
        return self._distance(trial, reference, high) - self._distance(trial, reference, low)

    def _distance(self, trial: Trial, a: str, b: str) -> float:
        if a == b:
            return 0.0
        known = self.distances.get(frozenset((a, b)))
        if known is not None:
            return known
        for one, other in ((a, b), (b, a)):
            how = trial.made.get(other)
            if how is not None and how.target == one:
                return self._between(how)
        raise InputError(
            f"the model {self.model!r} has no stored distance between {a[:12]}… and {b[:12]}… "
            f"({trial.factors.get('set') or 'trial ' + str(trial.index)}); use the bank that this trial was "
            "planned from"
        )

    def _between(self, how: Perturbation) -> float:
        """Return the distance of a target from itself with a distortion, by monotone interpolation."""
        scale = self.amplitudes.get((how.distortion, how.amplitude < 0))
        if scale is None:
            raise InputError(
                f"the bank holds no amplitudes of the distortion {how.distortion[:12]}…, so the "
                f"model {self.model!r} says nothing of {how.amplitude:g}; use the bank that this trial was "
                "planned from"
            )
        at, ids = scale
        known = [self.distances.get(frozenset((how.target, sha))) for sha in ids]
        pairs = [(a, d) for a, d in zip(at, known, strict=True) if d is not None]
        amplitude = abs(how.amplitude)
        if not pairs or amplitude > pairs[-1][0]:
            raise InputError(
                f"the model {self.model!r} has no stored distance at the amplitude "
                f"{how.amplitude:g} or beyond"
            )
        x, y = np.array([(0.0, 0.0), *pairs]).T
        return float(PchipInterpolator(x, y)(amplitude))


def _stimulus(trial: Trial, role: str) -> str:
    if role not in trial.stimuli:
        raise InputError(
            f"trial {trial.index} has no stimulus for the role {role!r}; it has "
            f"{', '.join(sorted(trial.stimuli))}"
        )
    return trial.stimuli[role]


@takes(bank=like("a Bank, from open_bank", "distances", "references"), model=a_text)
def evidence_of(bank: Bank, model: str) -> Evidence:
    """Return the evidence of one of a bank's models.

    Parameters
    ----------
    bank
        A bank, open.
    model
        Label of the model in the bank.

    Raises
    ------
    InputError
        If the bank stores no predictions of the model.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> evidence = evidence_of(bank, "right")
    >>> evidence.model
    'right'
    """
    return Evidence(
        model=model,
        distances=bank.distances(model),
        preferences=bank.preferences(model),
        amplitudes=_amplitudes(bank),
    )


def _amplitudes(bank: Bank) -> dict[_Direction, _Scale]:
    """Return the amplitudes of every distortion in a bank.

    A distortion stands in a set with its target's frames that carry it: it has no frame of its own, and
    their roles are its role with a sign.
    """
    found: dict[_Direction, _Scale] = {}
    for members in bank.sets.values():
        for unit in members:
            if unit.certificate.frame_sha256 or unit.level is not None:
                continue
            for sign in "+-":
                held = sorted(
                    (float(m.level.value), m.sha256)
                    for m in members
                    if m.role == unit.role + sign
                    and m.level is not None
                    and not isinstance(m.level.value, str)
                )
                if held:
                    at = np.array([amplitude for amplitude, _ in held])
                    found[unit.sha256, sign == "-"] = (at, tuple(sha for _, sha in held))
    return found
