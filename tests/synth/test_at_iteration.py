"""Records of single iterations: rows of the attributes, and the nearest iterate that is kept."""

import pytest
import torch

from stimsynth import Gaussian, Metamer, images, remove_grad
from stimsynth.methods.base.synthesis import OptimizedSynthesis
from stimuli_store.errors import InputError
from tests.synth.every_synthesis import CASES

NEAREST = {
    # iterates 0, 4, 8 are stored, and 10 is the result
    "floor": (0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 10),
    "ceiling": (0, 4, 4, 4, 4, 8, 8, 8, 8, 10, 10),
    "round": (0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 10),
}


def metamer(store_progress: int) -> Metamer:
    made = Metamer(images.load("camera", size=8).double(), remove_grad(Gaussian(3)), seed=0)
    made.synthesize(max_iter=10, store_progress=store_progress, stop_criterion=0)
    return made


@pytest.mark.parametrize("name", CASES)
def test_a_record_holds_the_rows_of_the_attributes(name: str) -> None:
    case = CASES[name]
    synthesis, _ = case.begin()
    synthesis.synthesize(3, **case.options)
    for iteration in (0, 2, -1, None):
        at = synthesis.get_progress(iteration)
        row = -1 if iteration is None else iteration
        for column in ("losses", "gradient_norm", "pixel_change_norm"):
            assert torch.equal(getattr(at, column), getattr(synthesis, column)[row])
        assert at.iteration == row % len(synthesis.losses)
        assert synthesis.run is not None
        for term, values in at.terms.items():
            assert torch.equal(values, synthesis.run.history[term][row])


@pytest.mark.parametrize("selection", NEAREST)
def test_the_nearest_kept_iterate_is_shown(selection: str) -> None:
    met = metamer(4)
    stored = {0: 0, 4: 1, 8: 2}
    for iteration, number in enumerate(NEAREST[selection]):
        at = met.get_progress(iteration, selection)  # type: ignore[arg-type]
        assert at.points_iteration == number
        wanted = met.saved_metamer[stored[number]] if number in stored else met.metamer.detach()
        assert torch.equal(at.points, wanted)


def test_start_and_result_are_kept_without_storing() -> None:
    met = metamer(0)
    assert [met.get_progress(i).points_iteration for i in (0, 4, 6, 10)] == [0, 0, 10, 10]
    assert torch.equal(met.get_progress().points, met.metamer.detach())


@pytest.mark.parametrize("iteration", [11, -12])
def test_an_iteration_that_is_none_is_refused(iteration: int) -> None:
    met: OptimizedSynthesis = metamer(0)
    with pytest.raises(InputError, match="iterations go from 0 to 10"):
        met.get_progress(iteration)


def test_a_selection_that_is_none_is_refused_and_so_is_a_run_that_has_not_begun() -> None:
    with pytest.raises(InputError, match="did you mean 'floor'"):
        metamer(0).get_progress(3, "flor")  # type: ignore[arg-type]
    new = Metamer(images.load("camera", size=8), remove_grad(Gaussian(3)))
    with pytest.raises(InputError, match="call synthesize first"):
        new.get_progress()
