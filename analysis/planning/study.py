"""Simulated studies: a design, the truth about people and images, and the answers that would be given."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.data.answers import EVIDENCE, Answers
from analysis.data.reading import read_trials
from analysis.observers.checks import as_numbers
from analysis.observers.links import Link, link_of
from analysis.observers.rules import given_task, rule_of
from analysis.planning.truths import Truth, evidence_in, truths_of_conditions
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import (
    Gate,
    a_count,
    a_seed_or_generator,
    briefly,
    check_fields,
    like,
    one_of,
    takes,
)

CROSSED, NESTED = "crossed", "nested"


@dataclass(frozen=True, kw_only=True)
class StudyDesign:
    """Plan of a study: who answers how many trials of what.

    Attributes
    ----------
    task, rule
        Task, and the decision rule of its observers (None: the task's first).
    levels
        Levels at which every image is shown.
    n_participants, n_images
        Number of participants, and of images that each of them sees.
    n_trials
        Trials of each participant with each image at each level, in each condition.
    images
        ``"crossed"``: all see the same images. ``"nested"``: everybody has images of their own.

    Raises
    ------
    InputError
        If a number is below 1, `levels` is no list of finite numbers, `images` is neither of the two, or the
        task has no such rule.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> design = StudyDesign(
    ...     task=task_named("2afc"), levels=(2.0, 4.0), n_participants=5, n_images=3, n_trials=10
    ... )
    >>> design.n_participants * design.n_images * design.n_trials * len(design.levels)
    300
    """

    task: Task = field(repr=False)
    levels: tuple[float, ...]
    n_participants: int
    n_images: int
    n_trials: int
    rule: str | None = None
    images: str = CROSSED

    def __post_init__(self) -> None:
        """Check the numbers; raise InputError in one sentence."""
        for name in ("n_participants", "n_images", "n_trials"):
            a_count(getattr(self, name), name)
        check_fields(self, task=given_task, images=one_of(CROSSED, NESTED))
        levels = as_numbers(self.levels, "levels of a design")
        if levels.ndim != 1 or not levels.size or not np.isfinite(levels).all():
            raise InputError(f"a design needs a list of finite levels; not {briefly(self.levels)}")
        rule_of(self.task, self.rule)

    @property
    def link(self) -> Link:
        """Relation between d' and proportion correct."""
        return link_of(self.task, self.rule)

    def cells(self) -> pd.DataFrame:
        """Return a row for each participant, image and level, with its number of trials."""
        people = np.arange(self.n_participants)
        images = np.arange(self.n_images)
        grid = np.stack(np.meshgrid(people, images, self.levels, indexing="ij"), axis=-1)
        person, image, level = grid.reshape(-1, 3).T
        if self.images == NESTED:
            image = person * self.n_images + image
        return pd.DataFrame(
            {
                "participant": [f"p{int(n) + 1:03d}" for n in person],
                "image": [f"i{int(n) + 1:03d}" for n in image],
                "level": level,
                "n_trials": np.full(len(level), float(self.n_trials)),
            }
        )


#: A gate of `stimuli_store.tools.gates`.
given_design: Gate = like("a StudyDesign", "cells", "n_participants", "levels")


@takes(design=given_design, seed=a_seed_or_generator)
def simulated_answers(
    design: StudyDesign,
    truth: Truth | Mapping[str, Truth],
    *,
    seed: int | np.random.Generator,
) -> Answers:
    """Return the answers of one simulated study, as counts by participant, image and level.

    Parameters
    ----------
    design
        The plan.
    truth
        What is true of the population; or of each condition by name, which every participant does with the
        same images, in a column ``condition``. People and images differ alike in all conditions, but for
        the `sd_effect` of a truth.
    seed
        Seed, or a generator that goes on.

    Raises
    ------
    InputError
        If the evidence of a truth does not fit the design.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> from analysis.planning.truths import ThresholdTruth
    >>> design = StudyDesign(
    ...     task=task_named("2ifc"), levels=(1, 2, 4), n_participants=3, n_images=2, n_trials=10
    ... )
    >>> answers = simulated_answers(design, ThresholdTruth(threshold=2.0), seed=0)
    >>> len(answers), float(answers.table.n_trials.sum())
    (18, 180.0)
    """
    conditions = truths_of_conditions(truth, "truth")
    rng = np.random.default_rng(seed)
    # The same people and images in every condition.
    people = int(rng.integers(2**63))
    parts = []
    for number, (name, one) in enumerate(conditions.items()):
        cells = design.cells()
        drawn = np.random.SeedSequence(people, n_children_spawned=number)
        p = one.p_correct(cells, design.link, np.random.default_rng(drawn))
        cells["n_correct"] = rng.binomial(cells.n_trials.astype(int), p).astype(np.float64)
        for label, values in getattr(one, "models", {}).items():
            cells[EVIDENCE + label] = evidence_in(cells, values)
        if name:
            cells["condition"] = name
        parts.append(cells)
    roles = {"evidence": {label: EVIDENCE + label for label in _labels(conditions)}}
    return read_trials(
        pd.concat(parts, ignore_index=True).assign(simulated=True),
        roles if roles["evidence"] else None,
        task=design.task,
        rule=design.rule,
    )


def _labels(conditions: Mapping[str, Truth]) -> list[str]:
    return sorted({label for one in conditions.values() for label in getattr(one, "models", {})})
