"""The same planned study simulated many times, each time with people and images of its own."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from analysis.data.answers import Answers
from analysis.planning.study import StudyDesign, simulated_answers
from analysis.planning.truths import Truth, truths_of_conditions
from stimuli_store.tools.progress import progress_bar

_Found = TypeVar("_Found")


def found_in_studies(
    find: Callable[[Answers], _Found],
    design: StudyDesign,
    truth: Truth | Mapping[str, Truth],
    *,
    n_studies: int,
    seed: int,
) -> list[_Found]:
    """Return the finding from the answers of each simulated study; a bar shows how many are done.

    Raises
    ------
    InputError
        If a number is not valid, or the truth does not fit the design.
    """
    found = []
    with progress_bar(n_studies, "study") as bar:
        for child in np.random.SeedSequence(seed).spawn(n_studies):
            answers = simulated_answers(design, truth, seed=np.random.default_rng(child))
            found.append(find(answers))
            bar.update()
    return found


def trials_of_a_study(design: StudyDesign, truth: Truth | Mapping[str, Truth]) -> int:
    """Return the number of trials in one study, in all conditions together."""
    return int(design.cells().n_trials.sum()) * len(truths_of_conditions(truth, "truth"))
