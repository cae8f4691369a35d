"""Texture statistics: counted as in the paper, equal to plain sums, finite, and free of redundancy."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from stimsynth.images import load
from stimsynth.models import PortillaSimoncelli
from stimsynth.transforms import SteerablePyramidFreq
from stimsynth.transforms.fourier_resampling import autocorrelation, expand
from stimsynth.transforms.polar import modulate_phase
from stimuli_store.errors import InputError


def texture(name: str = "grass", size: int = 64) -> Tensor:
    """Return a photograph whose pixels all differ: the minimum of equal pixels has no derivative."""
    noise = torch.rand(1, 1, size, size, generator=torch.Generator().manual_seed(1))
    return (load(name, size=size) + 1e-3 * noise).double()


@pytest.fixture(scope="module")
def model() -> PortillaSimoncelli:
    return PortillaSimoncelli((64, 64), n_scales=3).double()


@pytest.mark.parametrize(("n", "k", "m"), [(4, 4, 7), (4, 4, 9), (3, 4, 7), (2, 6, 5), (1, 2, 3)])
def test_there_are_as_many_statistics_as_the_paper_counts(n: int, k: int, m: int) -> None:
    """Portilla & Simoncelli (2000), section 3; 710 for N = K = 4 and M = 7."""
    marginal = 2 * (n + 1) + 1 + 6
    raw = (n + 1) * (m**2 + 1) // 2
    magnitude = n * k * (m**2 + 1) // 2 + n * k * (k - 1) // 2 + k**2 * (n - 1)
    phase = 2 * k**2 * (n - 1)
    size = 2 ** (n + 4)
    model = PortillaSimoncelli((size, size), n, k, m)
    found = model(load("grass", size=size)).shape
    assert found == (1, 1, marginal + raw + magnitude + phase)
    if (n, k) == (4, 4):
        assert found[-1] == {7: 710, 9: 1046}[m]
        assert model(load("grass", size=size), scales=[0]).shape[-1] == {7: 181, 9: 261}[m]


def test_statistics_equal_plain_sums_over_a_pyramids_bands(model: PortillaSimoncelli) -> None:
    """Every group computed anew from the pyramid's coefficients, by definition."""
    image = texture()
    found = {k: v[0, 0].numpy() for k, v in model.convert_to_dict(model(image)).items()}
    pyramid = SteerablePyramidFreq((64, 64), 3, 3, is_complex=True).double()
    bands = pyramid(image)
    pixels = image.numpy().ravel()
    variance = pixels.var(ddof=1)
    expected = [
        pixels.mean(),
        variance,
        ((pixels - pixels.mean()) ** 3).mean() / variance**1.5,
        ((pixels - pixels.mean()) ** 4).mean() / variance**2,
        pixels.min(),
        pixels.max(),
    ]
    np.testing.assert_allclose(found["pixel_statistics"], expected, rtol=1e-10)
    high = bands["residual_highpass"].square().mean()
    np.testing.assert_allclose(found["var_highpass_residual"], [float(high)], rtol=1e-10)
    centre = slice(64 // 2 - 3, 64 // 2 + 4)
    for scale in range(3):
        size = 64 // 2**scale
        centre = slice(size // 2 - 3, size // 2 + 4)
        length = bands[scale][0, 0].abs()
        magnitude = length - length.mean(dim=(-2, -1), keepdim=True)
        flat = magnitude.flatten(1).numpy()
        np.testing.assert_allclose(found["magnitude_std"][:, scale], flat.std(axis=1), rtol=1e-9)
        lags = autocorrelation(magnitude)[:, centre, centre].numpy()
        kept = found["auto_correlation_magnitude"][..., scale]
        by_lag = np.moveaxis(lags / lags[:, 3:4, 3:4], 0, -1)
        seen = ~np.isnan(kept)
        np.testing.assert_allclose(kept[seen], by_lag[seen], rtol=1e-9, atol=1e-12)
        pairs = found["cross_orientation_correlation_magnitude"][..., scale]
        below = ~np.isnan(pairs)
        np.testing.assert_allclose(pairs[below], np.corrcoef(flat)[below], rtol=1e-9, atol=1e-12)
        if scale == 2:
            continue
        doubled = modulate_phase(expand(bands[scale + 1], 2) / 4, 2)[0, 0]
        above = doubled.abs() - doubled.abs().mean(dim=(-2, -1), keepdim=True)
        both = np.corrcoef(flat, above.flatten(1).numpy())[:4, 4:]
        np.testing.assert_allclose(
            found["cross_scale_correlation_magnitude"][..., scale], both, rtol=1e-8, atol=1e-10
        )
        parts = torch.cat([doubled.real, doubled.imag]).flatten(1).numpy()
        real = bands[scale][0, 0].real.flatten(1).numpy()
        norms = np.linalg.norm(real, axis=1)[:, None] * np.linalg.norm(parts, axis=1)
        np.testing.assert_allclose(
            found["cross_scale_correlation_real"][..., scale],
            real @ parts.T / norms,
            rtol=1e-8,
            atol=1e-10,
        )


def test_low_passed_images_are_joined_from_the_coarser_levels(model: PortillaSimoncelli) -> None:
    image = texture("brick")
    found = {k: v[0, 0].numpy() for k, v in model.convert_to_dict(model(image)).items()}
    pyramid = SteerablePyramidFreq((64, 64), 3, 3, is_complex=True).double()
    bands = pyramid(image)
    bands["residual_lowpass"] = bands["residual_lowpass"] - bands["residual_lowpass"].mean()
    for scale in range(4):
        levels = ["residual_lowpass", *range(scale, 3)]
        joined = pyramid.recon_pyr(bands, levels)[0, 0]
        # Every 2^s-th pixel holds all of it, and amplitudes grow by 4 from scale to scale.
        low = 4**scale * joined[:: 2**scale, :: 2**scale].numpy()
        assert found["std_reconstructed"][scale] == pytest.approx(low.std(), rel=1e-9)
        assert found["skew_reconstructed"][scale] == pytest.approx(
            stats.skew(low.ravel()), rel=1e-7
        )
        kurtosis = stats.kurtosis(low.ravel(), fisher=False)
        assert found["kurtosis_reconstructed"][scale] == pytest.approx(kurtosis, rel=1e-9)
        shifted = [
            [np.mean(low * np.roll(low, (i, j), (0, 1))) for j in range(-3, 4)]
            for i in range(-3, 4)
        ]
        kept = found["auto_correlation_reconstructed"][..., scale]
        seen = ~np.isnan(kept)
        np.testing.assert_allclose(kept[seen], (np.array(shifted) / low.var())[seen], atol=1e-9)


def test_correlations_are_true_and_redundant_ones_are_gone(model: PortillaSimoncelli) -> None:
    arrays = model.convert_to_dict(model(texture()))
    for name, array in arrays.items():
        if "correlation" in name:
            seen = array[~array.isnan()]
            assert float(seen.abs().max()) <= 1 + 1e-12
            assert not bool((seen == 1).any())
    assert int((~arrays["auto_correlation_magnitude"].isnan()).sum()) == 3 * 4 * 24
    assert arrays["magnitude_std"].numel() == 3 * 4
    assert bool(arrays["cross_orientation_correlation_magnitude"][0, 0, 0, 0].isnan().all())


def test_dictionary_and_vector_are_inverse(model: PortillaSimoncelli) -> None:
    vector = model(torch.cat([texture(), texture("brick")]))
    arrays = model.convert_to_dict(vector)
    assert torch.equal(model.convert_to_tensor(arrays), vector)
    assert arrays["pixel_statistics"].shape == (2, 1, 6)
    assert arrays["cross_scale_correlation_real"].shape == (2, 1, 4, 8, 2)
    with pytest.raises(InputError, match="a representation of all scales"):
        model.convert_to_dict(vector[..., :-1])
    with pytest.raises(InputError, match="has no key 'magnitude_std'"):
        model.convert_to_tensor({k: v for k, v in arrays.items() if k != "magnitude_std"})


def test_scales_are_computed_alone_or_removed_afterwards(model: PortillaSimoncelli) -> None:
    assert model.scales == ["pixel_statistics", "residual_lowpass", 2, 1, 0, "residual_highpass"]
    image = texture()
    whole = model(image)
    total = 0
    for scale in model.scales:
        alone = model(image, scales=[scale])
        torch.testing.assert_close(alone, model.remove_scales(whole, [scale]))
        total += alone.shape[-1]
    assert total == whole.shape[-1]
    some = model(image, scales=[1, "pixel_statistics", 2])
    torch.testing.assert_close(some, model.remove_scales(whole, [2, 1, "pixel_statistics"]))
    with pytest.raises(InputError, match="takes a representation of all"):
        model.remove_scales(some, [1])


def test_shifts_change_nothing_and_items_are_taken_alone(model: PortillaSimoncelli) -> None:
    image = torch.cat([texture(), texture("brick")], dim=1)
    whole = model(image)
    # By multiples of 8, so that the pixels of the coarsest of three scales are the same ones again.
    torch.testing.assert_close(model(image.roll((8, -24), (-2, -1))), whole)
    torch.testing.assert_close(model(image[:, 1:]), whole[:, 1:])
    assert whole.shape == (1, 2, 529)


def test_scaling_an_image_changes_amplitudes_only(model: PortillaSimoncelli) -> None:
    image = texture()
    one, two = (model.convert_to_dict(model(x)) for x in (image, 255 * image))
    for name, array in one.items():
        if "correlation" in name or "skew" in name or "kurtosis" in name:
            torch.testing.assert_close(two[name], array, equal_nan=True)
    torch.testing.assert_close(two["magnitude_std"], 255 * one["magnitude_std"])


def test_groups_can_be_left_out(model: PortillaSimoncelli) -> None:
    groups = ("pixel_statistics", "kurtosis_reconstructed", "cross_scale_correlation_real")
    without = PortillaSimoncelli((64, 64), 3, leave_out=groups).double()
    image = texture()
    whole, less = model.convert_to_dict(model(image)), without.convert_to_dict(without(image))
    for name in whole:
        kept = less[name][~less[name].isnan()]
        if name in groups:
            assert bool((kept == 0).all())
        else:
            torch.testing.assert_close(kept, whole[name][~whole[name].isnan()])
    (gradient,) = torch.autograd.grad(
        without(image.requires_grad_())[..., :6].sum(), image, allow_unused=True
    )
    assert bool((gradient == 0).all())


def test_magnitude_means_can_be_added() -> None:
    model = PortillaSimoncelli((64, 64), 3, magnitude_means=True).double()
    image = texture()
    found = model.convert_to_dict(model(image))["magnitude_means"][0, 0]
    bands = SteerablePyramidFreq((64, 64), 3, 3, is_complex=True).double()(image)
    for scale in range(3):
        torch.testing.assert_close(found[:, scale], bands[scale][0, 0].abs().mean(dim=(-2, -1)))


def test_a_mask_keeps_the_target_there() -> None:
    mask = torch.zeros(1, 1, 64, 64, dtype=torch.bool)
    mask[..., 16:48, 16:48] = True
    target, image = texture(), texture("brick")
    model = PortillaSimoncelli((64, 64), 3, mask=mask, target=target).double()
    plain = PortillaSimoncelli((64, 64), 3).double()
    torch.testing.assert_close(model(image), plain(target * mask + image * ~mask))
    (gradient,) = torch.autograd.grad(model(image.requires_grad_()).sum(), image)
    assert bool((gradient[mask] == 0).all())
    assert bool((gradient[~mask] != 0).any())
    with pytest.raises(InputError, match="mask and target must be given together"):
        PortillaSimoncelli((64, 64), 3, mask=mask)


def test_mixtures_are_weighted_means_of_statistics() -> None:
    model = PortillaSimoncelli((64, 64), 3, mixture=(1, 3)).double()
    plain = PortillaSimoncelli((64, 64), 3).double()
    pair = torch.cat([texture(), texture("brick")])
    expected = 0.25 * plain(pair[:1]) + 0.75 * plain(pair[1:])
    torch.testing.assert_close(model(pair), expected)
    torch.testing.assert_close(model(pair[:1]), plain(pair[:1]))


def test_a_grating_has_no_correlations_but_those_that_vary() -> None:
    """Magnitudes of a grating are constant: their correlations are 0, not noise."""
    model = PortillaSimoncelli((64, 64), 3)
    columns = torch.arange(64, dtype=torch.float64)
    image = (0.5 + 0.5 * torch.cos(2 * math.pi * 8 / 64 * columns)).expand(1, 1, 64, 64)
    arrays = model.convert_to_dict(model(image))
    magnitude = arrays["auto_correlation_magnitude"]
    assert bool((magnitude[~magnitude.isnan()] == 0).all())
    assert bool((arrays["magnitude_std"] == 0).all())
    # A cosine of 8 cycles in 64 pixels at a lag of 3: cos(3 · 2π/8); its kurtosis is 3/2.
    across = arrays["auto_correlation_reconstructed"][0, 0, 3, 0, 0]
    assert float(across) == pytest.approx(math.cos(3 * math.pi / 4), abs=1e-12)
    assert float(arrays["kurtosis_reconstructed"][0, 0, 0]) == pytest.approx(1.5, rel=1e-9)


def test_derivatives_to_second_order_agree_with_differences(model: PortillaSimoncelli) -> None:
    image = texture()
    tangent = torch.randn(image.shape, generator=torch.Generator().manual_seed(2)).double()

    def slope(x: Tensor) -> Tensor:
        return torch.func.grad(lambda y: (model(y) ** 2).sum())(x)

    _, forward = torch.func.jvp(model, (image,), (tangent,))
    step = 1e-6
    ahead, behind = image + step * tangent, image - step * tangent
    difference = (model(ahead) - model(behind)) / (2 * step)
    torch.testing.assert_close(forward, difference, rtol=1e-4, atol=1e-4)
    _, curvature = torch.func.jvp(slope, (image,), (tangent,))
    by_difference = (slope(ahead) - slope(behind)) / (2 * step)
    error = (curvature - by_difference).norm() / by_difference.norm()
    assert float(error) < 1e-4


def test_statistics_are_drawn_as_stems_and_moved(model: PortillaSimoncelli, tmp_path: Path) -> None:
    one, two = model(texture()), model(texture("brick"))
    figure, axes = model.plot_representation(one, title="grass")
    assert [axis.get_title() for axis in axes][:2] == [
        "pixels+var highpass",
        "std+skew+kurtosis recon",
    ]
    assert len(axes) == 8
    drawn = axes[0].containers[0].markerline.get_ydata()
    np.testing.assert_allclose(drawn[:6], one[0, 0, :6])
    artists = model.update_plot(axes, two)
    assert len(artists) == 16
    np.testing.assert_allclose(axes[0].containers[0].markerline.get_ydata()[:6], two[0, 0, :6])
    figure.savefig(tmp_path / "statistics.png")
    single = PortillaSimoncelli((64, 64), 1)
    within, six = single.plot_representation(single(texture()), ax=figure.add_subplot())
    assert len(six) == 6
    assert within is figure


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: PortillaSimoncelli((60, 64)), "from 1 to 3 for images of 60x64"),
        (lambda: PortillaSimoncelli((60, 64), 3), r"must be divisible by 8"),
        (lambda: PortillaSimoncelli((64, 64)), "at most 4, the side of the coarsest scale"),
        (lambda: PortillaSimoncelli((64, 64), 3, spatial_corr_width=6), "an odd number"),
        (lambda: PortillaSimoncelli((64, 64), 3, n_orientations=1), "from 2 to 16"),
        (lambda: PortillaSimoncelli((64,), 3), "image_shape"),  # type: ignore[arg-type]
        (
            lambda: PortillaSimoncelli((64, 64), 3, leave_out=["magnitude_sdt"]),
            "did you mean 'magnitude_std'",
        ),
        (lambda: PortillaSimoncelli((64, 64), 3)(torch.zeros(1, 64, 48)), "channel, 64, 64"),
        (
            lambda: PortillaSimoncelli((64, 64), 3)(torch.zeros(1, 1, 64, 64).int()),
            "takes a real floating-point",
        ),
        (
            lambda: PortillaSimoncelli((64, 64), 3)(texture(), scales=[3]),
            "this model has the scales",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        call()


def test_a_broken_image_has_no_statistics(model: PortillaSimoncelli) -> None:
    image = texture()
    image[0, 0, 5, 5] = torch.nan
    assert not bool(torch.isfinite(model(image)).any())


def test_one_scale_need_not_be_in_a_list(model: PortillaSimoncelli) -> None:
    image = texture()
    assert torch.equal(model(image, scales=0), model(image, scales=[0]))
    alone = PortillaSimoncelli((64, 64), 3, leave_out="magnitude_std")
    assert alone.leave_out == ("magnitude_std",)


def test_a_dictionary_with_other_groups_is_not_plotted() -> None:
    model = PortillaSimoncelli((32, 32), n_scales=2, spatial_corr_width=3)
    groups = model.convert_to_dict(model(load("grass", size=32)))
    with pytest.raises(InputError, match="unknown group of statistics 'kurtosis'"):
        model.plot_representation({**groups, "kurtosis": torch.ones(1, 1, 3)})
    del groups["pixel_statistics"]
    with pytest.raises(InputError, match="has no key 'pixel_statistics'"):
        model.plot_representation(groups)
    with pytest.raises(InputError, match="figsize must be"):
        model.plot_representation(model(load("grass", size=32)), figsize=None)  # type: ignore[arg-type]
