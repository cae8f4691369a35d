"""No-U-turn sampling: agreement with Laplace's approximation and recovery (needs the extra [bayes])."""

import numpy as np
import pytest

from analysis.curves.cell_models import DPrimeModel, ScalingModel
from analysis.fits.hierarchy import fit_hierarchy
from analysis.fits.hierarchy_result import Hierarchy, HierarchyStatus
from tests.analysis.crossed_people import CRITICAL, GAIN, Study, scaling_answers

pytest.importorskip("numpyro")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def most_apart(one: Hierarchy, other: Hierarchy) -> float:
    """Largest difference of population values, in standard errors of the second."""
    apart = []
    for name, found in other.population.items():
        width = np.log(found.high / found.low) / 3.92
        apart.append(abs(np.log(one.population[name].value / found.value)) / width)
    return max(apart)


def test_it_recovers_a_crossed_study_of_the_published_size() -> None:
    study = Study(n_people=8, n_images=20, n_trials=27, sd_people=0.3, sd_images=0.3)
    counts = scaling_answers(study, np.random.default_rng(0))
    assert counts[4].sum() == 34_560
    drawn = fit_hierarchy(*counts, model=ScalingModel(), method="nuts")
    assert drawn.status is HierarchyStatus.CONVERGED
    assert drawn.diagnostics["r_hat"] < 1.01
    assert drawn.diagnostics["divergences"] == 0
    for name, truth in (("critical", CRITICAL), ("gain", GAIN)):
        found = drawn.population[name]
        assert found.low < truth < found.high
        for factor in ("participants", "images"):
            spread = drawn.spread[name, factor]
            assert spread.low < 0.3 < spread.high
    assert most_apart(fit_hierarchy(*counts, model=ScalingModel()), drawn) < 0.5


@pytest.mark.parametrize("n_trials", [4, 40])
def test_it_agrees_with_laplace(n_trials: int) -> None:
    study = Study(n_people=6, n_images=6, n_trials=n_trials, sd_people=0.3, sd_images=0.3)
    counts = scaling_answers(study, np.random.default_rng(1))
    drawn = fit_hierarchy(*counts, model=ScalingModel(), method="nuts")
    assert drawn.diagnostics["divergences"] == 0
    assert most_apart(fit_hierarchy(*counts, model=ScalingModel()), drawn) < 0.5


def test_it_samples_a_single_factor() -> None:
    right, total = [70, 80, 75, 90, 85], [100] * 5
    model = DPrimeModel(task="2ifc")
    drawn = fit_hierarchy(range(5), None, None, right, total, model=model, method="nuts")
    exact = fit_hierarchy(range(5), None, None, right, total, model=model)
    assert drawn.diagnostics["r_hat"] < 1.01
    assert most_apart(exact, drawn) < 0.2
