"""Foveated models: the statistics they state, in the windows they state, and metamers that keep them."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from stimsynth.banks.models import make_model
from stimsynth.banks.plan import read_plan
from stimsynth.banks.work import prepare
from stimsynth.images import load
from stimsynth.methods.metamer import Metamer
from stimsynth.models.foveated import FoveatedPooling
from stimsynth.transforms.log_polar import window_averages
from stimsynth.transforms.pyramids.steerable import SteerablePyramidFreq
from stimuli_store.errors import InputError

WHOLE = {  # one window: everything outside a fovea of 14 pixels
    "ppd": 10.0,
    "scaling": 1.0,
    "aspect": 0.2,
    "min_ecc": 1.4,
}

NEAR = {"rtol": 0, "atol": 1e-4}  # what the floor under variances takes away, for values of 0.02


@pytest.fixture
def image() -> Tensor:
    return load("camera", size=64).double()


def outside(size: int, radius: float = 14.0) -> np.ndarray:
    """The pixels that the one window of WHOLE covers."""
    down, right = np.mgrid[:size, :size] - (size - 1) / 2
    return np.hypot(down, right) >= radius


def magnitudes(image: Tensor, n_scales: int) -> list[np.ndarray]:
    """Magnitudes of the pyramid's bands, in units of the image."""
    levels = SteerablePyramidFreq(image.shape[-2:], n_scales, 3, is_complex=True).double()(image)
    return [levels[s][0, 0].abs().numpy() / 4**s for s in range(n_scales)]


def weighted(maps: list[np.ndarray], where: np.ndarray) -> np.ndarray:
    """Return correlations times the geometric mean of both standard deviations."""
    values = [m[where] for m in maps]
    deviation = np.std(values, axis=1)
    return np.corrcoef(values) * np.sqrt(np.outer(deviation, deviation))


def test_luminance_is_the_fovea_and_the_means_of_the_windows(image: Tensor) -> None:
    model = FoveatedPooling(ppd=16, scaling=0.4, fixation=(20.0, 30.0))
    output, named = model(image), model.named(image)
    assert list(named) == ["fovea", "mean"]
    torch.testing.assert_close(output, torch.cat([named["fovea"], named["mean"]], dim=2))
    down, right = np.mgrid[:64, :64]
    fovea = np.hypot(down - 20, right - 30) < 8
    np.testing.assert_array_equal(named["fovea"][0, 0].numpy(), image[0, 0].numpy()[fovea])
    weights = window_averages(model.windows((64, 64)), torch.float64).weights()
    by_hand = (weights * image[0]).sum((1, 2)) / weights.sum((1, 2))
    torch.testing.assert_close(named["mean"][0, 0], by_hand)


def test_one_window_over_all_has_the_moments_of_its_pixels(image: Tensor) -> None:
    model = FoveatedPooling(statistics="texture", n_scales=2, spatial_corr_width=3, **WHOLE)
    named = {k: v.flatten() for k, v in model.named(image).items()}
    pixels = image[0, 0].numpy()[outside(64)]
    assert named["mean"].item() == pytest.approx(pixels.mean(), rel=1e-12)
    std = pixels.std()
    assert named["std"].item() == pytest.approx(std, rel=1e-4)
    assert named["skew"].item() == pytest.approx(std * stats.skew(pixels), rel=1e-3)
    fourth = stats.kurtosis(pixels, fisher=False)
    assert named["kurtosis"].item() == pytest.approx(std * fourth**0.25, rel=1e-6)


def test_one_window_over_all_has_the_correlations_of_its_bands(image: Tensor) -> None:
    model = FoveatedPooling(statistics="texture", n_scales=2, spatial_corr_width=3, **WHOLE)
    named = {k: v[0, 0, ..., 0].numpy() for k, v in model.named(image).items()}
    fine = magnitudes(image, 2)[0]
    where = outside(64)
    np.testing.assert_allclose(
        named["magnitude_mean_0"], [m[where].mean() for m in fine], atol=1e-6
    )
    np.testing.assert_allclose(named["magnitude_std_0"], [m[where].std() for m in fine], rtol=2e-3)
    pairs = weighted(fine, where)[np.triu_indices(4, 1)]
    np.testing.assert_allclose(named["magnitude_orientation_0"], pairs, **NEAR)
    steps = [(0, 1), (1, -1), (1, 0), (1, 1)]
    rolled = [
        [weighted([m, np.roll(m, step, (0, 1))], where)[0, 1] for step in steps] for m in fine
    ]
    np.testing.assert_allclose(named["magnitude_space_0"], rolled, **NEAR)


def test_correlations_across_scales_compare_with_the_band_at_full_size(image: Tensor) -> None:
    """The coarser band, interpolated, is that of a pyramid that keeps all samples."""
    whole = SteerablePyramidFreq((64, 64), 2, 3, is_complex=True, downsample=False).double()
    levels = whole(image)
    fine, coarse = levels[0][0, 0].numpy(), levels[1][0, 0].numpy() / 2
    model = FoveatedPooling(statistics="texture", n_scales=2, spatial_corr_width=1, **WHOLE)
    named = {k: v[0, 0, ..., 0].numpy() for k, v in model.named(image).items()}
    assert "magnitude_space_0" not in named
    where = outside(64)
    expected = weighted([*np.abs(fine), *np.abs(coarse)], where)[:4, 4:]
    np.testing.assert_allclose(named["magnitude_scale_0"], expected.ravel(), **NEAR)
    doubled = coarse**2 / np.abs(coarse)
    expected = weighted([*fine.real, *doubled.real, *doubled.imag], where)[:4, 4:]
    np.testing.assert_allclose(named["phase_scale_0"], expected.ravel(), **NEAR)


@pytest.mark.parametrize(("scale", "frequency"), [(0, 1 / 4), (1, 1 / 8), (2, 1 / 16)])
def test_a_grating_has_its_energy_in_its_own_scale_in_every_window(
    scale: int, frequency: float
) -> None:
    """At the peak of a scale, energies of all orientations add up to the amplitude squared."""
    columns = torch.arange(64).double()
    grating = 0.5 + 0.2 * torch.cos(2 * math.pi * frequency * columns)
    model = FoveatedPooling(statistics="energy", ppd=16, scaling=0.8, n_scales=3)
    named = model.named(grating.expand(1, 1, 64, 64))
    for other in range(3):
        total = (named[f"energy_{other}"] ** 2).sum(2)
        expected = 0.2**2 if other == scale else 0.0
        torch.testing.assert_close(total, torch.full_like(total, expected), rtol=0, atol=1e-5)
    assert bool((named[f"energy_{scale}"].argmax(2) == 0).all())


def test_energy_does_not_see_the_sign_of_contrast(image: Tensor) -> None:
    model = FoveatedPooling(statistics="energy", ppd=16, n_scales=3)
    one, other = model.named(image), model.named(1 - image)
    for name in one:
        if name in ("fovea", "mean"):
            torch.testing.assert_close(other[name], 1 - one[name])
        else:
            torch.testing.assert_close(other[name], one[name])


def test_a_flat_image_has_no_contrast_of_any_kind() -> None:
    model = FoveatedPooling(statistics="texture", ppd=16, n_scales=2, spatial_corr_width=3)
    for name, value in model.named(torch.full((1, 1, 32, 32), 0.4).double()).items():
        expected = {"fovea": 0.4, "mean": 0.4}.get(name, 0.0)
        torch.testing.assert_close(value, torch.full_like(value, expected), rtol=0, atol=2e-3)


@pytest.mark.parametrize("size", [(64, 64), (33, 42)])
def test_correlations_are_between_minus_one_and_one(size: tuple[int, int]) -> None:
    """Also where one half of a window has twenty times the contrast of the other."""
    noise = torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(0)).double()
    noise[..., : size[1] // 2] *= 0.05
    model = FoveatedPooling(statistics="texture", ppd=16, scaling=0.3, n_scales=2)
    named = model.named(noise)
    for scale in range(2):
        deviation = named[f"magnitude_std_{scale}"]
        first, second = torch.triu_indices(4, 4, 1)
        most = torch.sqrt(deviation[:, :, first] * deviation[:, :, second])
        correlation = named[f"magnitude_orientation_{scale}"] / most
        assert float(correlation.abs().max()) <= 1
        assert 0.1 < float(correlation.std()) < 1
    largest = max(named[f"magnitude_std_{scale}"].max() for scale in range(2))
    for name in ("magnitude_space_0", "magnitude_space_1", "magnitude_scale_0"):
        assert float(named[name].abs().max()) < 2 * float(largest)


def test_channels_and_single_precision_are_treated_alike(image: Tensor) -> None:
    colour = torch.cat([image, image.flip(2), image**2], dim=1)
    model = FoveatedPooling(statistics="texture", ppd=16, n_scales=2, spatial_corr_width=3)
    found = model(colour)
    assert found.shape[:2] == (1, 3)
    torch.testing.assert_close(found[:, 1:2], model(image.flip(2)))
    torch.testing.assert_close(model(colour.float()).double(), found, rtol=1e-3, atol=1e-3)


def test_a_model_first_run_in_inference_mode_serves_gradients_later() -> None:
    model, x = (
        FoveatedPooling(statistics="texture", ppd=16, n_scales=2),
        torch.full((1, 1, 40, 40), 0.5),
    )
    x[..., 7:23, 30:] = 0.8
    with torch.inference_mode():
        expected = model(x)
    x.requires_grad_(True)
    found = model(x)
    torch.testing.assert_close(found.detach(), expected.clone())
    (gradient,) = torch.autograd.grad(found.sum(), x)
    assert 0 < float(gradient.abs().max()) < float("inf")


def test_turning_the_image_turns_the_means(image: Tensor) -> None:
    model = FoveatedPooling(ppd=16, scaling=4 * math.pi / 16)
    n = model.windows((64, 64)).n_angles
    turned = model.named(torch.rot90(image, -1, (2, 3)))["mean"].unflatten(2, (-1, n))
    before = model.named(image)["mean"].unflatten(2, (-1, n))
    torch.testing.assert_close(turned, before.roll(n // 4, dims=3))


def test_a_metamer_keeps_fovea_and_means_and_little_else() -> None:
    target = load("coffee", size=32)
    model = FoveatedPooling(ppd=8, scaling=0.5)
    metamer = Metamer(target, model, seed=1)
    metamer.synthesize(max_iter=60, stop_criterion=0)
    kept, wanted = model.named(metamer.metamer), model.named(target)
    for name in wanted:
        torch.testing.assert_close(kept[name], wanted[name], rtol=0, atol=2e-3)
    fovea = np.hypot(*(np.mgrid[:32, :32] - 15.5)) < 4
    away = (metamer.metamer - target)[0, 0].abs().numpy()
    assert away[fovea].max() < 2e-3
    assert away[~fovea].mean() > 0.1


def test_scaling_is_the_level_of_a_plan(tmp_path: Path) -> None:
    path = tmp_path / "PLAN.toml"
    path.write_text(
        """
        bank = { name = "fovea", version = "1.0.0", license = "CC0-1.0" }
        targets = { images = ["camera"], size = 32 }
        [[sets]]
        kind = "metamer"
        model = "fovea"
        level = { scaling = [0.4, 0.8] }
        [models.fovea]
        use = "FoveatedPooling"
        params = { statistics = "energy", ppd = 16.0, min_ecc = 0.25, fixation = [16, 12.5], n_scales = 2 }
        """
    )
    work = prepare(read_plan(path))
    specs = [group.members[0] for group in work.sets]
    assert [str(spec.level) for spec in specs] == ["scaling=0.4", "scaling=0.8"]
    sizes = []
    for spec in specs:
        model = make_model(spec.models["model"].name, spec.models["model"].params)
        assert model.scaling == spec.level.value
        assert model.fixation == (16.0, 12.5)
        sizes.append(model(torch.zeros(1, 1, 32, 32)).shape[-1])
    assert sizes[0] > sizes[1]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: FoveatedPooling(statistics="energies", ppd=16), "did you mean 'energy'"),
        (lambda: FoveatedPooling(ppd=16, spatial_corr_width=4), "spatial_corr_width must be odd"),
        (lambda: FoveatedPooling(ppd=16, n_scales=0), "n_scales must be a whole number of 1"),
        (
            lambda: FoveatedPooling((32, 32), "energy", ppd=16, n_scales=4),
            "n_scales must be at most 3",
        ),
        (lambda: FoveatedPooling((32, 32), ppd=16, min_ecc=2.0), "covers the whole image"),
        (lambda: FoveatedPooling((32, 0), ppd=16), r"image_shape, \(height, width\), must be 2"),
        (lambda: FoveatedPooling(ppd=16, fixation=(1.0,)), r"fixation, \(row, column\), must be"),
        (lambda: FoveatedPooling((32, 32), ppd=16)(torch.zeros(1, 1, 64, 64)), "was made for"),
        (lambda: FoveatedPooling(ppd=16)(torch.zeros(64, 64)), "takes a real floating-point"),
        (lambda: make_model("FoveatedPooling", {}), "cannot be made"),
    ],
)
def test_bad_input_gets_a_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        call()
