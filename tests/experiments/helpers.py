"""Designs, observers and banks for the tests of the booth."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from experiments.design import BankChoice, Design, DesignFile, design_from
from experiments.sampling import Sampling
from experiments.screen import Screen
from experiments.simulated import SimulatedBooth
from experiments.task_choice import TaskChoice
from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.publish import publish_bank
from stimuli_store.bank.reading import Bank
from stimuli_store.records.predictions import Predictions
from stimuli_store.records.spec import Level, ModelRef
from stimuli_store.records.trials import Trial, TrialRecord
from stimuli_store.tasks import TASKS
from tests.store.made_up import (
    eigendistortions,
    geodesic,
    mad_quad,
    made_up,
    metamers,
    picture,
    spec_of,
    targets,
)

SMALL = Screen(size=(200, 160))


@dataclass(frozen=True)
class Given:
    response: str
    rt_s: float


class Coin:
    """Gives a random answer of the task and takes its time, all from the generator it is handed."""

    def respond(self, trial: Trial, rng: np.random.Generator) -> Given:
        answers = answers_of(trial)
        return Given(answers[int(rng.integers(len(answers)))], float(rng.uniform(0.2, 2.5)))

    def describe(self) -> dict[str, object]:
        return {"model": "coin"}


class Always:
    """Gives the same answer to every trial."""

    def __init__(self, response: str, rt_s: float) -> None:
        self._given = Given(response, rt_s)

    def respond(self, trial: Trial, rng: np.random.Generator) -> Given:
        return self._given

    def describe(self) -> dict[str, object]:
        return {"model": "always"}


def answers_of(trial: Trial) -> tuple[str, ...]:
    return TASKS[trial.task].answers if trial.task in TASKS else (trial.answer,)


def booth_for(design: Design) -> SimulatedBooth:
    return SimulatedBooth(design.screen.size, design.screen.refresh_hz)


def design_for(
    bank: Bank,
    *,
    task: str | TaskChoice = "abx",
    screen: Screen = SMALL,
    keys: Mapping[str, str] | None = None,
    **sampling: object,
) -> Design:
    """A design over a bank: ABX of targets and members, each pair once in every cell."""
    choice = TaskChoice(name=task) if isinstance(task, str) else task
    repeats = len(TASKS[choice.name].cells) if choice.name in TASKS else len(choice.cells or ())
    values = {"comparisons": ("reference-member",), "repeats": repeats, "seed": 1, **sampling}
    return design_from(
        DesignFile(
            bank=BankChoice(path=bank.path.name, pin=bank.pin),
            design=Sampling(**values),  # type: ignore[arg-type]
            task=choice,
            screen=screen,
            keys=keys or {},
        )
    )


def session_design(bank: Bank, task: str, **sampling: object) -> Design:
    """A design of one task over all that a bank of `bank_of_kinds` or `tiny_bank` has for it."""
    comparison = "mad-pair" if task == "mad-pair" else "reference-member"
    screen = Screen(size=(200, 160))
    return design_for(bank, task=task, comparisons=(comparison,), screen=screen, **sampling)


def write_design(path: Path, bank: Bank, extra: str = "", **changes: str) -> Path:
    """Write DESIGN.toml beside a bank; `changes` replace one line's value each."""
    values = {
        "pin": f'"{bank.pin}"',
        "comparisons": '["reference-member"]',
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


def bank_of_kinds(folder: Path) -> Bank:
    """A bank of 8 x 8 pixels with a set of every kind, and distances and preferences of two models."""
    level = Level(value=0.1, unit="rms")
    noise = made_up(picture(40), spec_of("noise", "noise", level), {"rms": 0.1}, 0)
    recipe = {"sha256": "0" * 64}
    external = made_up(picture(41), spec_of("external", "external", None, recipe=recipe), {}, 0)
    optimized = made_up(
        picture(42),
        spec_of("optimized", "optimized", None),
        {"objective": 1.0, "start_objective": 2.0},
        0,
    )
    sets = [
        metamers(),
        mad_quad(),
        eigendistortions(),
        geodesic(),
        [noise],
        [external],
        [optimized],
    ]
    stimuli = [*targets(), *(member for members in sets for member in members)]
    rng = np.random.default_rng(3)
    pairs, triples = [], []
    for members in sets:
        target = members[0].record.target
        ids = [m.record.sha256 for m in members if m.record.certificate.bits]
        pairs += [(target, one) for one in ids]
        pairs += [(a, b) for i, a in enumerate(ids) for b in ids[i + 1 :]]
        triples += [(target, a, b) for i, a in enumerate(ids) for b in ids[i + 1 :]]
    names = ("right", "wrong")
    distance = {name: {pair: float(rng.uniform(0.5, 2)) for pair in pairs} for name in names}
    for member in mad_quad():  # the far ones are farther
        pair = (member.record.target, member.record.sha256)
        distance["right"][pair] = 0.6 if member.record.role.endswith("min") else 1.5
    for member in eigendistortions():  # larger amplitudes are seen better
        if member.record.level is not None:
            pair = (member.record.target, member.record.sha256)
            distance["right"][pair] = float(member.record.level.value)
    said = Predictions(
        pairs=tuple(pairs),
        distances={name: tuple(distance[name].values()) for name in names},
        triples=tuple(triples),
        preferences={
            name: tuple(distance[name][t, b] - distance[name][t, a] for t, a, b in triples)
            for name in names
        },
    )
    header = BankHeader(
        name="kinds",
        version="1.0.0",
        license="CC0-1.0",
        models=tuple(ModelRef(label=name, name="Gaussian") for name in names),
    )
    return publish_bank(folder, header, stimuli, said)


def without_times(records: tuple[TrialRecord, ...]) -> list[TrialRecord]:
    """Records as they would be on any clock, and without what tells that a trial was begun before."""
    return [
        replace(
            record,
            timing=(),
            presses=(),
            rt_s=None if record.rt_s is None else round(record.rt_s, 6),
            trial=replace(record.trial, attempt=0),
            flags=tuple(flag for flag in record.flags if flag != "seen_before"),
        )
        for record in records
    ]
