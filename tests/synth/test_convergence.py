"""When a synthesis has converged, asked of made-up histories and of the runs that stop by the same rules."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from stimsynth import Gaussian, Metamer, MetamerCTF, PortillaSimoncelli, images, remove_grad
from stimsynth.convergence import (
    coarse_to_fine_enough,
    loss_convergence,
    pixel_change_convergence,
)
from stimuli_store.errors import InputError


def with_losses(*rows: float) -> SimpleNamespace:
    return SimpleNamespace(losses=torch.tensor(rows)[:, None])


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_a_loss_is_compared_with_itself_some_steps_ago(size: float) -> None:
    falling, flat = [4.0 * size, 2.0 * size, 1.0 * size], [4.0 * size, size, 0.999 * size]
    assert not loss_convergence(with_losses(*falling), 1e-2, 1)
    assert loss_convergence(with_losses(*flat), 1e-2, 1)
    assert not loss_convergence(with_losses(*flat), 1e-2, 2)  # two steps ago it was 4
    assert not loss_convergence(with_losses(*flat), 1e9, 3)  # there were only two


def test_one_image_needs_no_column_of_its_own() -> None:
    falling, flat = torch.tensor([4.0, 2.0, 1.0]), torch.tensor([4.0, 1.0, 0.999])
    assert not loss_convergence(SimpleNamespace(losses=falling), 1e-2, 1)
    assert loss_convergence(SimpleNamespace(losses=flat), 1e-2, 1)
    assert pixel_change_convergence(SimpleNamespace(pixel_change_norm=flat), 2.0, 2)
    assert not pixel_change_convergence(SimpleNamespace(pixel_change_norm=flat), 0.5, 2)


def test_all_items_have_to_be_done() -> None:
    one = torch.tensor([[4.0, 4.0], [1.0, 2.0], [1.0, 1.0]])
    assert not loss_convergence(SimpleNamespace(losses=one), 1e-2, 1)
    assert loss_convergence(SimpleNamespace(losses=one[:, :1]), 1e-2, 1)


def test_every_one_of_the_last_steps_has_to_be_small() -> None:
    moved = SimpleNamespace(pixel_change_norm=torch.tensor([0.0, 5.0, 0.1, 0.3, 0.1])[:, None])
    assert pixel_change_convergence(moved, 0.2, 1)
    assert not pixel_change_convergence(moved, 0.2, 2)
    assert pixel_change_convergence(moved, 0.4, 3)
    assert not pixel_change_convergence(moved, 0.4, 4)
    assert not pixel_change_convergence(moved, 9.0, 5)  # the start is no step


def blurred() -> Metamer:
    model = remove_grad(Gaussian(7, 1.5).double())
    return Metamer(images.load("camera", size=32).double(), model)


def test_a_run_stops_when_the_answer_becomes_yes() -> None:
    met = blurred()
    with pytest.warns(UserWarning, match="Loss has converged"):
        met.synthesize(500, stop_criterion=0.5, stop_iters_to_check=7)
    assert loss_convergence(met, 0.5, 7)
    before = SimpleNamespace(losses=met.losses[:-1])
    assert not loss_convergence(before, 0.5, 7)


def test_nothing_has_converged_before_it_began() -> None:
    met = blurred()
    assert not loss_convergence(met, 1e9, 1)
    assert not pixel_change_convergence(met, 1e9, 1)


def test_coarse_to_fine_counts_from_where_all_scales_began_also_after_a_pause() -> None:
    met = MetamerCTF(images.load("grass", size=64), PortillaSimoncelli((64, 64), n_scales=2))
    met.synthesize(18, change_scale_criterion=None, ctf_iters_to_check=5)
    assert met.scales_timing["all"] == []
    assert not coarse_to_fine_enough(met, 10**6, 5)
    met.synthesize(7, change_scale_criterion=None, ctf_iters_to_check=5)
    assert met.scales_timing["all"] == [20]
    assert not coarse_to_fine_enough(met, 24, 5)
    assert coarse_to_fine_enough(met, 25, 5)


def test_what_has_no_scales_need_not_wait() -> None:
    assert coarse_to_fine_enough(blurred(), 0, 50)


@pytest.mark.parametrize("ask", [loss_convergence, pixel_change_convergence])
def test_a_window_of_no_steps_is_refused(ask: object) -> None:
    with pytest.raises(InputError, match="1 or more; not 0"):
        ask(blurred(), 1e-4, 0)  # type: ignore[operator]


def test_it_can_be_asked_of_tensors_that_need_gradients() -> None:
    losses: Tensor = torch.tensor([[2.0], [1.0]], requires_grad=True)
    assert loss_convergence(SimpleNamespace(losses=losses), 10.0, 1)
