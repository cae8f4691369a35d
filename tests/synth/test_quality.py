"""The verdicts of all syntheses: each sees a run that is not done, pixels out of range, and no change."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from stimsynth import (
    Eigendistortion,
    Gaussian,
    Identity,
    MADCompetition,
    Metamer,
    OptimizedImage,
    SimpleMetamer,
    images,
    mad_set,
    remove_grad,
)
from stimsynth.engine.lbfgs import LBFGS
from stimsynth.engine.run import Status
from stimsynth.losses import l2_norm, mse
from stimsynth.methods.base.quality import DISTANCE, LEVELS, OUTSIDE, Quality, judge
from stimuli_store.errors import InputError
from tests.synth.every_synthesis import (
    CASES,
    Case,
    Pooled,
    contrast,
    eigendistortion,
    picture,
    press_ctrl_c,
    python_handles_ctrl_c,
    response,
)

each = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
#: Those whose worth nothing but the end of a run tells.
EXTREMES = [name for name in CASES if name.startswith(("MAD", "Optimized"))]


@pytest.fixture(autouse=True)
def handled() -> Iterator[None]:
    with python_handles_ctrl_c():
        yield


@each
def test_what_did_not_begin_is_not_good(case: Case) -> None:
    (quality,) = case.begin()[0].quality()
    assert not quality.good
    assert (
        str(quality)
        == f"NOT good: there is no result yet; call synthesize ({Status.RUNNING.value})"
    )


@each
def test_what_was_interrupted_is_not_good(case: Case) -> None:
    found, trap = case.begin()
    trap.set(case.calls, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        found.synthesize(50, **case.options)
    (quality,) = found.quality()
    assert not quality.good
    assert quality.verdict.startswith("interrupted, by the user or by an error")


@pytest.mark.parametrize("name", EXTREMES)
def test_an_extreme_that_ran_out_of_steps_is_none(name: str) -> None:
    case = CASES[name]
    found, _ = case.begin()
    found.synthesize(3, **case.options)
    (quality,) = found.quality()
    assert not quality.good
    assert "stopped at max_iter" in quality.verdict


ENDS = {
    "Geodesic": {"optimizer": LBFGS(bounds=(0, 1)), "stop_criterion": 1e-6},
    "MADCompetition, weighed": None,  # what is weighed drifts; see test_mad.py
}


@pytest.mark.parametrize("name", [name for name in CASES if ENDS.get(name, True)])
def test_what_ran_to_its_end_is_good(name: str) -> None:
    found, _ = CASES[name].begin()
    found.synthesize(800, **{**CASES[name].options, **(ENDS.get(name) or {})})
    (quality,) = found.quality()
    assert quality.good, quality
    assert quality.verdict == "no fault found"
    assert quality.status.finished


@each
def test_pixels_out_of_range_are_seen(case: Case) -> None:
    """A result without any other fault whose pixels lie outside the range."""
    found, _ = case.begin()
    found.synthesize(5, **case.options)
    found.run.points.add_(0.7)
    (quality,) = found.quality()
    assert not quality.good
    share = ((found.run.points < 0) | (found.run.points > 1)).double().mean().item()
    if "Geodesic" in type(found).__name__:
        share *= 3 / 5  # the ends do not move
    assert share > 0.1
    assert quality.figures[OUTSIDE] == pytest.approx(share)
    assert f"{share:.2%} of the pixels lie outside" in quality.verdict


def test_an_image_with_all_its_pixels_outside_is_not_good() -> None:
    best = OptimizedImage(picture(), torch.mean, range_penalty_lambda=0.0)
    best.synthesize(400, torch.optim.SGD, optimizer_kwargs={"lr": 50.0}, stop_criterion=1e9)
    (quality,) = best.quality()
    assert quality.figures[OUTSIDE] == 1
    assert not quality.good


def test_an_objective_that_did_not_move_is_seen() -> None:
    best = OptimizedImage(torch.ones_like(picture()), torch.mean)  # every pixel is at its bound
    best.synthesize(5)
    assert "no better than at the start" in best.quality()[0].verdict
    mad = MADCompetition(picture(), contrast, mse, "max", metric_tradeoff_lambda=1.0)
    mad.synthesize(3, torch.optim.SGD, optimizer_kwargs={"lr": 1e-30})
    assert "1 times its value at the start" in mad.quality()[0].verdict
    metamer = Metamer(picture(), Pooled())
    metamer.synthesize(3, torch.optim.SGD, optimizer_kwargs={"lr": 0.0})
    assert "100.0% of the distance at the start remains" in metamer.quality()[0].verdict


@pytest.mark.parametrize(
    "make",
    [
        lambda: Metamer(picture(), Pooled(), initial_image=picture()),
        lambda: Metamer(picture(), Identity(), seed=1),
        lambda: Metamer(picture(), Pooled(), initial_image=picture() + 1e-5 * (picture() < 0.5)),
    ],
    ids=["starts there", "ends there", "differs by less than a screen shows"],
)
def test_the_target_is_no_metamer_of_itself(make: Callable[[], Metamer]) -> None:
    found = make()
    found.synthesize(60)
    (quality,) = found.quality()
    assert not quality.good
    assert "it equals the target" in quality.verdict
    assert quality.figures[LEVELS] == 0


def test_a_competitor_that_is_the_reference_is_none() -> None:
    found = MADCompetition(picture(), contrast, mse, "max", initial_noise=1e-5)
    found.synthesize(60)
    (quality,) = found.quality()
    assert "it equals the reference" in quality.verdict


def test_distances_of_pixels_are_those_of_images_and_of_frames() -> None:
    """Half the pixels are off by 0.4 levels, which rounding takes, the others by two."""
    target = torch.full((1, 1, 2, 4), 100 / 255, dtype=torch.float64)
    moved = target.clone()
    moved[..., :2] += 0.4 / 255
    moved[..., 2:] += 2 / 255
    found = Metamer(target, nn.AvgPool2d((2, 4)), initial_image=moved)
    (quality,) = found.quality()
    by_hand = ((0.4**2 + 2**2) / 2) ** 0.5
    assert quality.figures[DISTANCE] == pytest.approx(by_hand / 255)
    assert quality.figures[LEVELS] == pytest.approx(2**0.5)


def test_what_has_no_target_image_has_no_distance_to_it() -> None:
    goal = Pooled()(picture())
    for found in (
        Metamer(None, Pooled(), target_representation=goal, initial_image=picture("grass")),
        Metamer(picture(), nn.AdaptiveAvgPool2d(1), initial_image=picture("grass")[..., :6]),
    ):
        found.synthesize(100)
        (quality,) = found.quality()
        assert quality.good, quality
        assert quality.figures[DISTANCE] != quality.figures[DISTANCE]  # NaN


@pytest.mark.parametrize("bounds", [(0, math.inf), (-math.inf, math.inf)])
def test_a_range_without_end_has_no_levels(bounds: tuple[float, float]) -> None:
    found = Metamer(picture(), Pooled(), allowed_range=bounds, initial_image=picture("grass"))
    found.synthesize(100)
    (quality,) = found.quality()
    assert quality.good, quality
    assert quality.figures[DISTANCE] > 0
    assert math.isnan(quality.figures[LEVELS])
    with pytest.raises(InputError, match="finite range"):
        found.on_grid()
    with pytest.raises(InputError, match=r"noise over allowed_range .* would be infinite"):
        Metamer(picture(), Pooled(), allowed_range=bounds)


def test_an_error_is_related_to_the_start_where_the_target_is_zero() -> None:
    goal = torch.zeros_like(Identity()(picture()))
    found = Metamer(None, Identity(), target_representation=goal, initial_image=picture())
    (quality,) = found.quality()
    assert quality.figures["relative error"] == 1


def test_items_of_a_batch_are_judged_alone() -> None:
    starts = torch.cat([picture("grass"), picture()])
    found = Metamer(picture(), Pooled(), initial_image=starts)
    found.synthesize(100)
    good, same = found.quality()
    assert good.good, good
    assert "it equals the target" in same.verdict


def test_members_of_a_set_are_judged_as_competitions_are() -> None:
    (level,) = mad_set(picture(), contrast, mse, [0.1], max_iter=4, seed=3)
    single = MADCompetition(picture(), contrast, mse, "max", 0.1, seed=3)
    single.synthesize(4)
    (found,), (alone,) = level.members["metric_1_max"].quality, single.quality()
    assert found.verdict == alone.verdict
    assert found.figures == pytest.approx(alone.figures, rel=1e-6, abs=1e-9)


def test_eigendistortions_that_are_certified_are_good_though_the_search_ran_out_of_steps() -> None:
    found = Eigendistortion(
        images.load("camera", size=16).double(), remove_grad(Gaussian(5).double())
    )
    options: Any = {"basis_size": 40, "stop_criterion": 0.0}
    found.synthesize(max_iter=10, **options)
    while found.residuals.max() > 1e-4:
        found.synthesize(max_iter=10, **options)
    (quality,) = found.quality()
    assert found.status == (Status.OUT_OF_STEPS,)
    assert quality.figures["largest residual"] <= 1e-4
    assert quality.good
    assert "every residual is within the tolerance" in quality.verdict
    early, _, options = eigendistortion()
    early.synthesize(**options, max_iter=6)
    assert not early.quality()[0].good
    assert "stopped at max_iter" in early.quality()[0].verdict


def test_an_interrupted_search_is_not_good() -> None:
    found, trap, options = eigendistortion()
    trap.set(12, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        found.synthesize(**options)
    assert found.quality()[0].verdict.startswith("interrupted, by the user or by an error")


def test_a_simple_metamer_has_a_verdict_too() -> None:
    simple = SimpleMetamer(picture(), Pooled())
    assert not simple.quality()[0].good
    simple.synthesize(100)
    assert simple.quality()[0].good


def test_all_that_is_wrong_is_told() -> None:
    found = judge({"it drifts": True, "it is late": True}, {OUTSIDE: 0.5}, Status.CONVERGED)
    assert found.verdict.count(". Also: ") == 2
    assert isinstance(found, Quality)


# -- a loss that is low enough ---------------------------------------------------------------------


@each
def test_a_loss_that_is_low_enough_ends_a_run(case: Case) -> None:
    whole, _ = case.begin()
    whole.synthesize(12, **case.options)
    row = 9
    level = whole.losses[row].item()
    found, _ = case.begin()
    found.synthesize(12, **case.options, stop_loss=level)
    assert found.status == (Status.CONVERGED,)
    assert found.losses[-1] <= level
    assert len(found.losses) <= row + 1
    found.synthesize(1, **case.options)  # without it, there is more to do
    assert found.status == (Status.OUT_OF_STEPS,)


def test_each_item_stops_at_the_loss_by_itself() -> None:
    starts = torch.cat([picture("grass"), 0.9 * picture()])
    found = Metamer(picture(), Pooled(), l2_norm, initial_image=starts)
    found.synthesize(50, stop_loss=1e-2)
    assert set(found.status) == {Status.CONVERGED}
    far, near = found.losses.gt(1e-2).sum(dim=0).tolist()
    assert far > near


@pytest.mark.parametrize("wrong", ["low", float("nan"), [1.0]])
def test_a_loss_to_stop_at_is_a_number(wrong: Any) -> None:
    found, _ = CASES["Metamer"].begin()
    with pytest.raises(ValueError, match="stop_loss, if not None, must be a number"):
        found.synthesize(2, stop_loss=wrong)


def test_responses_are_weighed_as_they_are() -> None:
    """The losses of a maximum are the negatives of its objective, and so is the loss to stop at."""
    best = OptimizedImage(0.3 + 0.4 * picture(), response)
    best.synthesize(30, stop_loss=-3.0)
    assert best.objectives[-1] >= 3.0 > best.objectives[-2]
