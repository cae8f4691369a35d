"""Designs, observers and banks for the tests of the booth."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from experiments.design import BankChoice, Design, Keys, Sampling, Screen
from experiments.tasks.abx import AbxTask
from stimuli_store.bank.reading import Bank
from stimuli_store.records.trials import Trial

SMALL = Screen(size=(200, 160))


@dataclass(frozen=True)
class Given:
    response: str
    rt_s: float


class Coin:
    """Answers A or B at random and takes its time, all from the generator it is handed."""

    def respond(self, trial: Trial, rng: np.random.Generator) -> Given:
        return Given("A" if rng.random() < 0.5 else "B", float(rng.uniform(0.2, 2.5)))

    def describe(self) -> dict[str, object]:
        return {"model": "coin"}


class Script:
    """Answers every trial in the same way."""

    def __init__(self, response: str, rt_s: float) -> None:
        self._given = Given(response, rt_s)

    def answer(self, trial: Trial) -> Given:
        return self._given


def design_for(
    bank: Bank, *, task: AbxTask | None = None, screen: Screen | None = None, **sampling: object
) -> Design:
    values: dict[str, object] = {"comparisons": ("reference-metamer",), "repeats": 4, "seed": 1}
    return Design(
        bank=BankChoice(path=bank.path.name, pin=bank.pin),
        design=Sampling(**{**values, **sampling}),  # type: ignore[arg-type]
        task=task or AbxTask(),
        screen=screen or SMALL,
        keys=Keys(),
    )


def write_design(path: Path, bank: Bank, extra: str = "", **changes: str) -> Path:
    """Write DESIGN.toml beside a bank; `changes` replace one line's value each."""
    values = {
        "pin": f'"{bank.pin}"',
        "comparisons": '["reference-metamer"]',
        "repeats": "4",
        "seed": "1",
        **changes,
    }
    path.write_text(
        f"""[bank]
path = "{bank.path.name}"
pin = {values["pin"]}
[design]
comparisons = {values["comparisons"]}
repeats = {values["repeats"]}
seed = {values["seed"]}
{extra}
"""
    )
    return path


def without_times(records: tuple) -> list:
    """Records as they would be on any clock."""
    return [replace(record, timing=()) for record in records]
