"""MADCompetition and mad_set: the seeds' interface, known answers, and what is held stays."""

import math
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from stimsynth import MADCompetition, images, mad_set
from stimsynth.engine.run import Status
from stimsynth.losses import l2_norm, penalize_range
from stimsynth.methods.base.resumable_run import LOSS_CONVERGED
from stimsynth.methods.mad import Metric
from stimsynth.methods.mad_set import MEMBERS
from stimsynth.metrics import mse, ssim
from stimuli_store.errors import InputError
from tests.synth.problems import checkerboard

PAIRS = [("ssim", "mse"), ("mse", "ssim")]


def l1_norm(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).abs().sum()


def dissimilarity(x: Tensor, y: Tensor) -> Tensor:
    return 1 - ssim(x, y, weighted=True, pad="reflect")


METRICS = {"ssim": dissimilarity, "mse": mse, "l1": l1_norm, "l2": l2_norm}


@pytest.fixture
def picture() -> Tensor:
    return images.load("camera", size=64).double()


def until_it_converges(mad: MADCompetition, **kwargs: object) -> MADCompetition:
    with pytest.warns(UserWarning, match=LOSS_CONVERGED):
        mad.synthesize(400, **kwargs)
    return mad


# -- known answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pushed", "held", "minmax", "factor"),
    [
        ("l2", "l1", "min", 1 / math.sqrt(2)),
        ("l2", "l1", "max", 1.0),
        ("l1", "l2", "min", 1.0),
        ("l1", "l2", "max", math.sqrt(2)),
    ],
)
def test_two_pixels_end_where_diamond_and_circle_touch(
    pushed: str, held: str, minmax: str, factor: float
) -> None:
    """The least and largest L2 norm at L1 norm a are a/√2 and a; of L1 at L2 = b, they are b and √2 b."""
    image = torch.full((1, 1, 1, 2), 0.5)
    mad = MADCompetition(image, METRICS[pushed], METRICS[held], minmax, seed=10)
    until_it_converges(mad, stop_criterion=1e-8)
    began = METRICS[held](image, mad.initial_image)
    assert mad.reference_metric_loss[-1].item() == pytest.approx(began.item(), rel=1e-6)
    assert mad.optimized_metric_loss[-1].item() == pytest.approx(factor * began.item(), rel=1e-5)


def test_the_weighed_objective_reaches_them_as_the_tutorial_has_it() -> None:
    """The documented way: a weight of 1e4 and small steps of an Adam built on the image."""
    image = torch.full((1, 1, 1, 2), 0.5)
    mad = MADCompetition(image, l1_norm, l2_norm, "max", metric_tradeoff_lambda=1e4, seed=16)
    optimizer = torch.optim.Adam([mad.mad_image], lr=1e-3)
    mad.synthesize(300, optimizer)
    began = l2_norm(image, mad.initial_image).item()
    assert mad.optimized_metric_loss[-1].item() == pytest.approx(math.sqrt(2) * began, rel=2e-3)
    assert mad.reference_metric_loss[-1].item() == pytest.approx(began, rel=2e-3)


def test_the_checkerboard_of_the_tutorial_in_one_batch() -> None:
    """64 × 64 pixels in [0, 255]: the bounds for n pixels with room, each way, from one call."""
    rows = checkerboard()
    assert rows[0].nonsmooth_at is not None
    image = rows[0].nonsmooth_at
    (level,) = mad_set(image, l2_norm, l1_norm, [20.0], allowed_range=(0, 255), stop_criterion=1e-8)
    a, b, n, room = float(level.metric_2), float(level.metric_1), 4096, 229.5
    full = math.floor(a / room)
    l2_max = math.sqrt(full * room**2 + (a - full * room) ** 2)
    full = math.floor((b / room) ** 2)
    l1_min = full * room + math.sqrt(b**2 - full * room**2)
    answers = {
        "metric_1_min": (a / math.sqrt(n), a),
        "metric_1_max": (l2_max, a),
        "metric_2_min": (b, l1_min),
        "metric_2_max": (b, b * math.sqrt(n)),
    }
    for name, (two, one) in answers.items():
        member = level.members[name]
        assert float(member.metric_1) == pytest.approx(two, rel=1e-6), name
        assert float(member.metric_2) == pytest.approx(one, rel=1e-6), name
        assert member.image.min() >= 0
        assert member.image.max() <= 255
    changed = (level.members["metric_2_min"].image != image).sum()
    assert changed == full + 1  # few pixels, to their extremes
    shift = (level.members["metric_1_min"].image - image).abs()
    assert shift.max() - shift.min() < 1e-6 * shift.max()  # all pixels alike


@pytest.mark.parametrize("minmax", ["min", "max"])
@pytest.mark.parametrize(("pushed", "held"), PAIRS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_held_stays_while_the_other_goes_far(
    picture: Tensor, pushed: str, held: str, minmax: str, dtype: torch.dtype
) -> None:
    picture = picture.to(dtype)
    mad = MADCompetition(picture, METRICS[pushed], METRICS[held], minmax, 0.04, seed=1)
    mad.synthesize(15)
    target = METRICS[held](picture, mad.initial_image)
    drift = (mad.reference_metric_loss / target - 1).abs().max()
    assert drift < (1e-7 if dtype == torch.float64 else 1e-5)
    torch.testing.assert_close(
        METRICS[held](picture, mad.mad_image)[0], mad.reference_metric_loss[-1]
    )
    moved = (mad.optimized_metric_loss[-1] / mad.optimized_metric_loss[0]).item()
    assert moved < 0.7 if minmax == "min" else moved > 1.4
    assert mad.mad_image.min() >= 0
    assert mad.mad_image.max() <= 1
    (quality,) = mad.quality()
    assert quality.verdict.startswith("stopped at max_iter")  # and nothing else stands against it
    assert "Also" not in quality.verdict
    assert quality.figures["optimized, of start"] == pytest.approx(moved, rel=1e-5)
    assert abs(quality.figures["drift"]) < 1e-5


# -- the interface ---------------------------------------------------------------------------------


def test_defaults_and_attributes_are_those_of_the_documentation(picture: Tensor) -> None:
    mad = MADCompetition(picture, dissimilarity, mse, "min")
    assert mad.minmax == "min"
    assert mad.metric_tradeoff_lambda is None
    assert mad.range_penalty_lambda == 0.1
    assert mad.allowed_range == (0, 1)
    assert mad.image is not mad.mad_image
    assert mad.optimized_metric is dissimilarity
    assert mad.reference_metric is mse
    assert torch.equal(mad.mad_image, mad.initial_image)
    assert mad.status == (Status.RUNNING,)
    assert mad.synthesize(max_iter=4, store_progress=2) is None
    for column in (
        mad.losses,
        mad.gradient_norm,
        mad.pixel_change_norm,
        mad.optimized_metric_loss,
        mad.reference_metric_loss,
    ):
        assert column.shape == (5, 1)
    assert mad.saved_mad_image.shape == (3, 1, 1, 64, 64)
    assert torch.equal(mad.saved_mad_image[0], mad.initial_image)
    assert torch.equal(mad.saved_mad_image[-1], mad.mad_image)
    torch.testing.assert_close(mad.losses, mad.optimized_metric_loss)


def test_the_start_is_the_image_with_noise_of_that_size() -> None:
    image = torch.full((1, 1, 128, 128), 0.5)
    mad = MADCompetition(image, l2_norm, mse, "min", initial_noise=0.05, seed=3)
    assert mse(image, mad.initial_image).item() == pytest.approx(0.05**2, rel=0.05)
    again = MADCompetition(image, mse, l2_norm, "max", initial_noise=0.05, seed=3)
    other = MADCompetition(image, mse, l2_norm, "max", initial_noise=0.05, seed=4)
    assert torch.equal(mad.initial_image, again.initial_image)
    assert not torch.equal(mad.initial_image, other.initial_image)


@pytest.mark.filterwarnings("ignore:Image range falls outside")
@pytest.mark.parametrize(("minmax", "sign"), [("min", 1), ("max", -1)])
def test_the_objective_is_the_formula(picture: Tensor, minmax: str, sign: int) -> None:
    mad = MADCompetition(
        picture, dissimilarity, mse, minmax, metric_tradeoff_lambda=30.0, range_penalty_lambda=0.7
    )
    there, other = picture * 1.3 - 0.1, picture.flip(-1)
    for image in (None, other):
        x = picture if image is None else image
        by_hand = (
            sign * dissimilarity(x, there)
            + 30 * (mse(picture, mad.initial_image) - mse(x, there)) ** 2
            + 0.7 * penalize_range(there)
        )
        assert mad.objective_function(there, image).item() == pytest.approx(by_hand.item())
    mad.synthesize(3)
    torch.testing.assert_close(mad.objective_function(), mad.losses[-1])
    held = MADCompetition(picture, dissimilarity, mse, minmax)
    held.synthesize(3)
    torch.testing.assert_close(held.objective_function(), held.losses[-1])


@pytest.mark.filterwarnings("ignore:Image range falls outside")
def test_with_a_weight_it_is_adam_of_the_documentation(picture: Tensor) -> None:
    """Ten steps by hand, on the same objective."""
    mad = MADCompetition(picture, mse, dissimilarity, "min", metric_tradeoff_lambda=1.0, seed=2)
    x = mad.initial_image.clone().requires_grad_(True)
    adam = torch.optim.Adam([x], lr=0.01, amsgrad=True)
    mad.synthesize(10)
    for _ in range(10):
        adam.zero_grad()
        off = dissimilarity(picture, mad.initial_image) - dissimilarity(picture, x)
        (mse(picture, x) + off**2 + 0.1 * penalize_range(x)).sum().backward()
        adam.step()
    torch.testing.assert_close(mad.mad_image, x.detach(), rtol=1e-6, atol=1e-8)


def test_the_automatic_weight_is_the_power_of_ten_that_balances(picture: Tensor) -> None:
    with pytest.warns(UserWarning, match=r"automatically set to 0\.01 to roughly balance"):
        mad = MADCompetition(picture, mse, dissimilarity, "min", 0.04, "auto")
    ratio = mse(picture, mad.initial_image) / dissimilarity(picture, mad.initial_image)
    assert mad.metric_tradeoff_lambda == 0.01
    assert abs(math.log10(ratio / mad.metric_tradeoff_lambda)) <= 0.5


def test_it_can_start_anywhere_else(picture: Tensor) -> None:
    elsewhere = images.load("coffee", size=64)
    mad = MADCompetition(picture, mse, dissimilarity, "min", initial_image=elsewhere)
    assert torch.equal(mad.initial_image, elsewhere.double())
    mad.synthesize(10)
    held = dissimilarity(picture, mad.initial_image)
    torch.testing.assert_close(mad.reference_metric_loss[-1:], held, rtol=1e-7, atol=0)
    assert mad.optimized_metric_loss[-1] < 0.9 * mad.optimized_metric_loss[0]


def test_a_batch_equals_single_images() -> None:
    both = torch.cat([images.load(name, size=32).double() for name in ("camera", "coffee")])
    together = MADCompetition(both, dissimilarity, mse, "max", seed=5)
    together.synthesize(8)
    for item in range(2):
        one = both[item : item + 1]
        start = together.initial_image[item : item + 1]
        alone = MADCompetition(one, dissimilarity, mse, "max", initial_image=start)
        alone.synthesize(8)
        torch.testing.assert_close(alone.losses[:, 0], together.losses[:, item], rtol=1e-5, atol=0)


def test_two_calls_equal_one(picture: Tensor) -> None:
    whole, legs = (MADCompetition(picture, mse, dissimilarity, "min", seed=1) for _ in range(2))
    whole.synthesize(9)
    legs.synthesize(4)
    legs.synthesize(5)
    assert torch.equal(whole.mad_image, legs.mad_image)
    assert torch.equal(whole.reference_metric_loss, legs.reference_metric_loss)


# -- penalties -------------------------------------------------------------------------------------


@pytest.mark.parametrize("minmax", ["min", "max"])
def test_a_penalty_is_made_small_while_the_reference_is_held(minmax: str) -> None:
    """At |d|₂ = b the first of two pixels is darkest where it alone changed: d = (-b, 0)."""
    image = torch.full((1, 1, 1, 2), 0.5).double()
    first_pixel = (100.0, lambda x: x[..., 0].sum())
    mad = MADCompetition(image, l1_norm, l2_norm, minmax, seed=10, penalties=[first_pixel])
    until_it_converges(mad, stop_criterion=1e-10)
    b = l2_norm(image, mad.initial_image).item()
    answer = torch.tensor([0.5 - b, 0.5]).double()
    torch.testing.assert_close(mad.mad_image.flatten(), answer, atol=2e-2 * b, rtol=0)
    assert mad.reference_metric_loss[-1].item() == pytest.approx(b, rel=1e-6)
    torch.testing.assert_close(mad.objective_function(), mad.losses[-1])
    by_hand = 100 * mad.mad_image[..., 0].sum()
    by_hand = by_hand + (1 if minmax == "min" else -1) * l1_norm(image, mad.mad_image)
    assert mad.losses[-1].item() == pytest.approx(by_hand.item())


# -- files and moves -------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, 1.0])
def test_a_loaded_competition_goes_on_bit_for_bit(
    tmp_path: Path, picture: Tensor, weight: float | None
) -> None:
    make = partial(MADCompetition, picture, mse, l2_norm, "max", metric_tradeoff_lambda=weight)
    whole, first = make(seed=1), make(seed=1)
    whole.synthesize(9)
    first.synthesize(4, store_progress=2)
    first.save(tmp_path / "mad.h5")
    later = make(seed=7)
    later.load(tmp_path / "mad.h5")
    assert torch.equal(later.initial_image, first.initial_image)
    assert torch.equal(later.saved_mad_image, first.saved_mad_image)
    later.synthesize(5)
    assert torch.equal(later.mad_image, whole.mad_image)
    assert torch.equal(later.losses, whole.losses)


@pytest.mark.parametrize(
    "change",
    [
        {"image": images.load("coffee", size=64).double()},
        {"optimized_metric": l1_norm},
        {"reference_metric": l1_norm},
        {"minmax": "max"},
        {"metric_tradeoff_lambda": 2.0},
        {"range_penalty_lambda": 0.2},
        {"allowed_range": (-1, 2)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_file_of_another_competition_is_refused(
    tmp_path: Path, picture: Tensor, change: dict[str, object]
) -> None:
    own = {
        "image": picture,
        "optimized_metric": mse,
        "reference_metric": l2_norm,
        "minmax": "min",
    }
    MADCompetition(**own).save(tmp_path / "mad.h5")
    with pytest.raises(InputError, match=next(iter(change))):
        MADCompetition(**{**own, **change}).load(tmp_path / "mad.h5")


class Weighted(nn.Module):
    """A metric with a tensor of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weight", torch.linspace(0.5, 1.5, 64, dtype=torch.float64))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.weight * (x - y) ** 2).mean()


def test_it_moves_to_another_precision_in_mid_run(picture: Tensor) -> None:
    mad = MADCompetition(picture, Weighted(), mse, "min")
    mad.synthesize(2)
    mad.to(torch.float32)
    mad.synthesize(4)
    assert mad.mad_image.dtype == torch.float32
    assert mad.optimized_metric.weight.dtype == torch.float32
    assert mad.optimized_metric_loss[-1] < mad.optimized_metric_loss[2]
    drift = mad.reference_metric_loss / mad.reference_metric_loss[0] - 1
    assert drift.abs().max() < 1e-5


# -- sets ------------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_set_holds_what_single_competitions_make() -> None:
    image = torch.cat([images.load(name, size=24).double() for name in ("camera", "coffee")])
    levels = mad_set(image, dissimilarity, mse, [0.02, 0.1], seed=3, max_iter=3)
    assert [level.noise_level for level in levels] == [0.02, 0.1]
    for level in levels:
        assert list(level.members) == list(MEMBERS)
        for name, member in level.members.items():
            pushed, held = (
                (dissimilarity, mse) if name.startswith("metric_1") else (mse, dissimilarity)
            )
            single = MADCompetition(image, pushed, held, name[-3:], level.noise_level, seed=3)
            single.synthesize(3)
            assert torch.equal(single.initial_image, level.initial_image)
            torch.testing.assert_close(member.image, single.mad_image, rtol=1e-5, atol=1e-6)
            one = torch.stack(
                [dissimilarity(a[None], b[None]) for a, b in zip(image, member.image, strict=True)]
            )
            torch.testing.assert_close(member.metric_1, one.flatten())
            assert member.drift.abs().max() < 1e-7
            assert member.status == single.status


def test_penalties_of_a_set_are_those_of_single_competitions(picture: Tensor) -> None:
    corner = (3.0, lambda x: x[..., :4, :4].sum())
    (level,) = mad_set(picture, mse, l1_norm, [0.1], penalties=[corner], seed=3, max_iter=3)
    (plain,) = mad_set(picture, mse, l1_norm, [0.1], seed=3, max_iter=3)
    for name, member in level.members.items():
        pushed, held = (mse, l1_norm) if name.startswith("metric_1") else (l1_norm, mse)
        single = MADCompetition(picture, pushed, held, name[-3:], penalties=[corner], seed=3)
        single.synthesize(3)
        torch.testing.assert_close(member.image, single.mad_image, rtol=1e-5, atol=1e-6)
        assert member.image[..., :4, :4].sum() < plain.members[name].image[..., :4, :4].sum()


# -- refusals --------------------------------------------------------------------------------------


def test_what_makes_no_sense_is_refused(picture: Tensor) -> None:
    make = partial(MADCompetition, picture, mse, l2_norm)
    for kwargs, message in (
        ({"minmax": "least"}, "minmax must be 'min' or 'max'; not 'least'"),
        (
            {"minmax": "min", "initial_noise": -1.0},
            "a standard deviation, must be .* 0 or more; not -1.0",
        ),
        ({"minmax": "min", "initial_noise": 0.0}, "reference_metric must be .* above 0"),
        ({"minmax": "min", "initial_image": picture}, "reference_metric must be .* above 0"),
        (
            {"minmax": "min", "initial_image": picture[..., 1:]},
            "initial_image must have the shape of the image",
        ),
        (
            {"minmax": "min", "metric_tradeoff_lambda": "best"},
            "None or 'auto', must be .* 0 or more",
        ),
        ({"minmax": "min", "metric_tradeoff_lambda": -1.0}, "None or 'auto', must be .* 0 or more"),
        (
            {"minmax": "min", "range_penalty_lambda": -1.0},
            "range_penalty_lambda must be .* 0 or more",
        ),
    ):
        with pytest.raises(InputError, match=message):
            make(**kwargs)
    with pytest.raises(InputError, match="two identical images"):
        MADCompetition(picture, ssim, mse, "min")
    with pytest.raises(InputError, match="cannot hold the reference metric"):
        make("min").synthesize(optimizer=torch.optim.Adam)
    with pytest.raises(InputError, match="one standard deviation or more"):
        mad_set(picture, mse, l2_norm, [])
    with pytest.raises(InputError, match=r"metric_1 must be .* above 0"):
        mad_set(picture, mse, l2_norm, [0.0])


@pytest.mark.parametrize(
    "signed",
    [
        lambda x, y: (x - y).mean(),
        lambda x, y: (y - x).sum(),
        lambda x, y: (x.square() - y.square()).mean(),
        lambda x, y: (x[..., 0] - y[..., 0]).mean(),
        lambda x, y: mse(x, y) * (y - x).mean(),
    ],
)
def test_metrics_with_a_sign_are_refused(picture: Tensor, signed: Metric) -> None:
    for metrics in ((signed, mse), (mse, signed)):
        with pytest.raises(
            InputError, match="for two different images, but a metric must be above 0"
        ):
            MADCompetition(picture, *metrics, "min")
    with pytest.raises(InputError, match="must be above 0"):
        mad_set(picture, mse, signed, [0.1])


@pytest.mark.filterwarnings("ignore:Image range falls outside")
def test_quality_says_what_drifted(picture: Tensor) -> None:
    mad = MADCompetition(picture, mse, dissimilarity, "min", metric_tradeoff_lambda=1e-3)
    mad.synthesize(20)
    (quality,) = mad.quality()
    assert not quality.good
    assert "the reference metric drifted by -" in quality.verdict
