"""Every metric: finite on hard images, an invariant of its arguments' order, and a function of one pair."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from stimsynth.images import load
from stimsynth.metrics import (
    NLP,
    model_distance,
    ms_ssim,
    mse,
    nlpd,
    normalized_laplacian_pyramid,
    ssim,
    ssim_map,
)
from stimsynth.models import Gaussian, OnOff, UniformPooling
from stimsynth.validate import remove_grad
from stimuli_store.errors import WrongDevice
from tests.synth.hard_images import KINDS, hard_images
from tests.synth.signals import few, seeds

Metric = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A metric, its value for equal images, the smallest side it takes, and the shape of its result."""

    metric: Metric
    equal: float = 0.0
    side: int = 11
    shape: Callable[[int, int, int], tuple[int, ...]] = lambda b, c, side: (b, c)


def per_item(b: int, c: int, side: int) -> tuple[int, ...]:
    return (b,)


def on_model(make: Callable[[], torch.nn.Module]) -> Metric:
    """Return the distance of a model, in the type of the images."""
    made = {dtype: remove_grad(make().to(dtype)) for dtype in (torch.float32, torch.float64)}
    return lambda one, two: model_distance(made[one.dtype])(one, two)


METRICS: dict[str, Row] = {
    "mse": Row(metric=mse, side=1),
    "ssim": Row(metric=ssim, equal=1),
    "ssim, weighted": Row(metric=lambda a, b: ssim(a, b, weighted=True), equal=1),
    "ssim, constant": Row(metric=lambda a, b: ssim(a, b, pad="constant"), equal=1),
    "ssim, reflect": Row(metric=lambda a, b: ssim(a, b, pad="reflect"), equal=1),
    "ssim, weighted, replicate": Row(metric=lambda a, b: ssim(a, b, True, "replicate"), equal=1),
    "ssim, circular": Row(metric=lambda a, b: ssim(a, b, pad="circular"), equal=1),
    "ssim_map": Row(
        metric=ssim_map, equal=1, shape=lambda b, c, side: (b, c, side - 10, side - 10)
    ),
    "ms_ssim": Row(metric=ms_ssim, equal=1, side=176),
    "ms_ssim, two scales": Row(metric=lambda a, b: ms_ssim(a, b, [0.5, 0.5]), equal=1, side=22),
    "nlpd": Row(metric=nlpd, side=33),
    "OnOff": Row(
        metric=on_model(lambda: OnOff(31, pretrained=True, cache_filt=True)),
        side=16,
        shape=per_item,
    ),
    "UniformPooling": Row(metric=on_model(lambda: UniformPooling(8.0)), side=32, shape=per_item),
}
SMALL = [name for name, row in METRICS.items() if row.side < 100]
PER_CHANNEL = [name for name, row in METRICS.items() if row.shape is not per_item]
every = pytest.mark.parametrize("name", METRICS)
small = pytest.mark.parametrize("name", SMALL)
contrasts = st.sampled_from([0.0, 1e-6, 0.01, 0.5, 1.0])


def noise(*shape: int, seed: int, contrast: float = 1.0) -> Tensor:
    """Return noise in [0, 1] about grey."""
    uniform = torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return 0.5 + contrast * (uniform - 0.5)


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_nan_in_value_or_gradient_for_any_two_hard_images(name: str, dtype: torch.dtype) -> None:
    """All pairs of images as one batch, also of an image with itself."""
    row = METRICS[name]
    images = torch.cat(list(hard_images(max(row.side, 48)).values())).to(dtype)
    one = images.repeat_interleave(len(images), 0).requires_grad_(True)
    two = images.repeat(len(images), 1, 1, 1).requires_grad_(True)
    value = row.metric(one, two)
    gradients = torch.autograd.grad(value.sum(), (one, two))
    assert value.dtype == dtype
    for tensor in (value, *gradients):
        finite = torch.isfinite(tensor).view(len(images), len(images), -1).all(dim=-1)
        assert [(KINDS[i], KINDS[j]) for i, j in (~finite).nonzero().tolist()] == []
    same = value.detach()[:: len(images) + 1]
    torch.testing.assert_close(same, torch.full_like(same, row.equal), rtol=0, atol=1e-4)
    if row.equal == 0:
        assert bool((same == 0).all())
        assert all(bool((g[:: len(images) + 1] == 0).all()) for g in gradients)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_normalized_scales_of_hard_images_are_finite(dtype: torch.dtype) -> None:
    images = torch.cat(list(hard_images(48).values())).to(dtype).requires_grad_(True)
    scales = normalized_laplacian_pyramid(images)
    (gradient,) = torch.autograd.grad(sum(scale.sum() for scale in scales), images)
    assert all(scale.dtype == dtype and bool(torch.isfinite(scale).all()) for scale in scales)
    assert bool(torch.isfinite(gradient).all())


@small
@few
@given(one=seeds, two=seeds, contrast=contrasts)
def test_order_does_not_matter_and_equal_images_are_told(
    name: str, one: int, two: int, contrast: float
) -> None:
    row = METRICS[name]
    a = noise(1, 1, row.side, row.side, seed=one, contrast=contrast)
    b = noise(1, 1, row.side, row.side, seed=two)
    value = row.metric(a, b)
    torch.testing.assert_close(value, row.metric(b, a), rtol=1e-9, atol=1e-12)
    equal = row.metric(a, a)
    torch.testing.assert_close(equal, torch.full_like(equal, row.equal), rtol=0, atol=1e-9)
    if row.equal == 1:
        assert bool((value.abs() <= 1 + 1e-9).all())
    else:
        assert bool((value >= 0).all())


def test_the_largest_also_keeps_order_and_equality() -> None:
    a, b = (noise(1, 1, 176, 176, seed=seed) for seed in (0, 1))
    torch.testing.assert_close(ms_ssim(a, b), ms_ssim(b, a))
    torch.testing.assert_close(ms_ssim(a, a), torch.ones(1, 1).double())
    assert 0 <= float(ms_ssim(a, b)) < 1


@pytest.mark.parametrize("name", [name for name in SMALL if name in PER_CHANNEL])
@few
@given(
    batches=st.sampled_from([(1, 1), (3, 3), (1, 3), (3, 1)]),
    channels=st.sampled_from([(1, 1), (2, 2), (1, 2), (2, 1)]),
    seed=seeds,
)
def test_a_value_for_every_image_and_channel_is_that_of_the_pair_alone(
    name: str, batches: tuple[int, int], channels: tuple[int, int], seed: int
) -> None:
    row = METRICS[name]
    one, two = (
        noise(b, c, row.side, row.side, seed=seed + i)
        for i, (b, c) in enumerate(zip(batches, channels, strict=True))
    )
    value = row.metric(one, two)
    b, c = max(batches[0], batches[1]), max(channels)
    assert value.shape == row.shape(b, c, row.side)
    one, two = (image.expand(b, c, -1, -1) for image in (one, two))
    for i in range(b):
        for j in range(c):
            alone = row.metric(one[i : i + 1, j : j + 1], two[i : i + 1, j : j + 1])
            torch.testing.assert_close(value[i : i + 1, j : j + 1], alone)


@every
def test_mapped_over_pairs_it_is_the_same(name: str) -> None:
    row = METRICS[name]
    one, two = (noise(3, 1, row.side, row.side, seed=seed) for seed in (0, 1))
    values = row.metric(one, two)
    assert values.shape == row.shape(3, 1, row.side)
    mapped = torch.func.vmap(lambda a, b: row.metric(a[None], b[None])[0])(one, two)
    torch.testing.assert_close(mapped, values)
    one_to_many = torch.func.vmap(lambda b: row.metric(one[:1], b[None])[0])(two)
    torch.testing.assert_close(one_to_many, row.metric(one[:1], two))


@every
def test_forward_derivatives_are_differences(name: str) -> None:
    row = METRICS[name]
    # Away from black and white, so that steps stay in range.
    one, two = (noise(1, 1, row.side, row.side, seed=s, contrast=0.9) for s in (0, 1))
    tangents = tuple(noise(*one.shape, seed=s) - 0.5 for s in (2, 3))
    _, forward = torch.func.jvp(row.metric, (one, two), tangents)
    step = 1e-5
    up, down = (
        row.metric(one + sign * step * tangents[0], two + sign * step * tangents[1])
        for sign in (1, -1)
    )
    torch.testing.assert_close(forward, (up - down) / (2 * step), rtol=1e-5, atol=1e-9)


@small
def test_gradients_are_right(name: str) -> None:
    row = METRICS[name]
    one, two = (
        noise(1, 1, row.side, row.side, seed=s, contrast=0.8).requires_grad_(True) for s in (0, 1)
    )
    assert torch.autograd.gradcheck(row.metric, (one, two), fast_mode=True, check_forward_ad=True)


@pytest.mark.parametrize("name", PER_CHANNEL)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_comes_near(name: str, dtype: torch.dtype) -> None:
    row = METRICS[name]
    one = noise(1, 1, max(row.side, 32), max(row.side, 32), seed=0, contrast=0.9)
    two = (one + 0.1 * noise(*one.shape, seed=1) - 0.05).clamp(0, 1)
    value = row.metric(one.to(dtype), two.to(dtype))
    assert value.dtype == dtype
    allowed = 16 * torch.finfo(dtype).eps
    torch.testing.assert_close(value.double(), row.metric(one, two), rtol=0, atol=allowed)


@pytest.mark.parametrize("name", PER_CHANNEL)
def test_values_stay_on_their_device(name: str) -> None:
    """On the meta device a tensor left behind on the CPU is an error, and nothing is computed."""
    row = METRICS[name]
    image = torch.empty(2, 1, row.side, row.side, device="meta")
    value = row.metric(image, image)
    assert value.device.type == "meta"
    assert value.shape == row.shape(2, 1, row.side)
    with pytest.raises(WrongDevice, match="must lie on one device, not on meta and cpu"):
        row.metric(image, torch.zeros(2, 1, row.side, row.side))


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
@pytest.mark.filterwarnings("ignore:Image range")
def test_a_broken_image_is_never_called_equal(broken: float) -> None:
    whole = load("camera", size=192)
    bad = whole.clone()
    bad[0, 0, 100, 100] = broken
    for metric in (mse, ssim, ms_ssim, nlpd, model_distance(Gaussian(7))):
        assert not bool(torch.isfinite(metric(bad, whole)).any()), metric
        assert not bool(torch.isfinite(metric(bad, bad)).any()), metric


def test_the_pyramid_as_a_model_holds_what_nlpd_compares() -> None:
    one, two = load("camera", size=64).double(), load("coffee", size=64).double()
    scales = zip(normalized_laplacian_pyramid(one), normalized_laplacian_pyramid(two), strict=True)
    total = sum(float((x - y).square().sum()) for x, y in scales)
    difference = NLP()(one) - NLP()(two)
    assert difference.shape == (1, 1, 4096 + 1024 + 256 + 64 + 16 + 4)
    assert float(difference.square().sum()) == pytest.approx(total, rel=1e-12)
