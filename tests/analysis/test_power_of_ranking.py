"""The true model among four comes out first as often as `power` said before the studies were run.

The studies are drawn here, from the formulas of the choice model, and not by the code that plans them.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from analysis.data.answers import Answers
from analysis.data.reading import read_trials
from analysis.planning.power import power
from analysis.planning.study import StudyDesign
from analysis.planning.tests import ranks_first
from analysis.planning.truths import ModelTruth
from analysis.ranking.rank import rank
from stimuli_store.tasks import task_named

PEOPLE, IMAGES, LEVELS, TRIALS = 10, 20, (1.0, 2.0, 4.0), 4
GAIN, LAPSE, SD_PEOPLE, SD_IMAGES = 1.2, 0.02, 0.3, 0.2
SLIPS = (
    1.0,
    1.2,
    1.5,
)  # standard deviations of the log evidence of wrong models about the right one


def evidence() -> dict[str, np.ndarray]:
    """Distances of four models for every image at every level; people follow the first."""
    rng = np.random.default_rng(1)
    right = rng.lognormal(0, 0.7, (IMAGES, len(LEVELS)))
    wrong = {f"wrong {sd}": right * rng.lognormal(0, sd, right.shape) for sd in SLIPS}
    return {"right": right, **wrong}


def study(seed: int) -> Answers:
    """Answers in two intervals: P = (1 − λ)Φ(d'/√2) + λ/2, d' = gain · person · image · evidence."""
    rng = np.random.default_rng([7, seed])
    person, image, level = (
        axis.ravel()
        for axis in np.meshgrid(range(PEOPLE), range(IMAGES), range(len(LEVELS)), indexing="ij")
    )
    effect = rng.normal(0, SD_PEOPLE, PEOPLE)[person] + rng.normal(0, SD_IMAGES, IMAGES)[image]
    models = evidence()
    d = GAIN * np.exp(effect) * models["right"][image, level]
    p = (1 - LAPSE) * ndtr(d / np.sqrt(2)) + LAPSE / 2
    table = pd.DataFrame(
        {
            "participant": person,
            "image": image,
            "level": np.array(LEVELS)[level],
            "n_correct": rng.binomial(TRIALS, p),
            "n_trials": TRIALS,
            **{name: said[image, level] for name, said in models.items()},
        }
    )
    return read_trials(table, {"evidence": {name: name for name in models}}, task="2ifc")


def check_wins(test: Callable[[Answers], bool], n: int) -> None:
    """Check that n studies are won as often as n others that were planned, within three standard errors."""
    design = StudyDesign(
        task=task_named("2ifc"),
        levels=LEVELS,
        n_participants=PEOPLE,
        n_images=IMAGES,
        n_trials=TRIALS,
    )
    truth = ModelTruth(
        evidence=evidence(),
        true="right",
        gain=GAIN,
        lapse=LAPSE,
        sd_participants=SD_PEOPLE,
        sd_images=SD_IMAGES,
    )
    said = power(design, truth, test, n_studies=n, seed=3).power
    won = float(np.mean([test(study(seed)) for seed in range(n)]))
    mean = (said + won) / 2
    assert 0.2 < mean < 0.95  # neither hopeless nor certain, or the comparison would say nothing
    assert abs(said - won) <= 3 * np.sqrt(mean * (1 - mean) * 2 / n)


@pytest.mark.long
def test_a_few_studies_are_won_as_often_as_planned() -> None:
    check_wins(lambda answers: rank(answers, baselines=False, n_draws=400).best == ("right",), 15)


@pytest.mark.slow
def test_the_true_model_among_four_wins_as_often_as_power_predicted() -> None:
    check_wins(ranks_first(model="right"), 120)
