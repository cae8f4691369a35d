"""Frames of a trial: read from the bank, or made from its frames as the trial says."""

from collections.abc import Iterable

import numpy as np

from stimuli_store.bank.reading import Bank
from stimuli_store.errors import BankError, DisplayError
from stimuli_store.frames import perturb
from stimuli_store.records.trials import Perturbation, Trial, TrialRecord


def frames_of(trial: Trial, bank: Bank) -> dict[str, np.ndarray]:
    """Return the frame of every interval of a trial: uint8, (H, W) or (H, W, 3).

    Raises
    ------
    BankError
        If the bank's pixels are not the certified ones, or a made frame is not the one that was planned.
    """
    by_id = {
        stimulus: _frame(stimulus, trial.made.get(stimulus), bank)
        for stimulus in dict.fromkeys(trial.intervals.values())
    }
    return {name: by_id[stimulus] for name, stimulus in trial.intervals.items()}


def shape_of(trial: Trial, interval: str, bank: Bank) -> tuple[int, ...]:
    """Return the shape of the frame of an interval."""
    stimulus = trial.intervals[interval]
    how = trial.made.get(stimulus)
    return bank.by_id[how.target if how else stimulus].shape


def check_frames(trials: Iterable[Trial], bank: Bank) -> None:
    """Check that every stimulus of some trials has a certified frame.

    Raises
    ------
    DisplayError
        With the name of one that has none.
    """
    for stimulus in {
        s for trial in trials for s in trial.intervals.values() if s not in trial.made
    }:
        if not bank.by_id[stimulus].certificate.frame_sha256:
            raise DisplayError(
                f"{bank.by_id[stimulus].name} has no certified frame in {bank.pin}, so it cannot be shown"
            )


def wrong_intervals(record: TrialRecord, bank: Bank) -> list[str]:
    """Return the intervals in which the screen did not show the planned frame."""
    trial = record.trial
    return [
        name
        for name, stimulus in trial.intervals.items()
        if record.frame_sha256.get(name) != _planned(stimulus, trial, bank)
    ]


def _planned(stimulus: str, trial: Trial, bank: Bank) -> str:
    """Return the hash of the frame of a stimulus; a made one is named by it."""
    if stimulus in trial.made:
        return stimulus
    return bank.by_id[stimulus].certificate.frame_sha256


def _frame(stimulus: str, how: Perturbation | None, bank: Bank) -> np.ndarray:
    if how is None:
        return bank.frame(stimulus).pixels
    target = bank.frame(how.target).pixels
    made = perturb(target, bank.pixels(how.distortion), how.amplitude, how.dither, how.seed)
    if made.sha256 != stimulus:
        raise BankError(
            f"{bank.pin}: the frame of {bank.by_id[how.target].name} with a distortion of amplitude "
            f"{how.amplitude:g} is not the one that was planned"
        )
    return made.pixels
