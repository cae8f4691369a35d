"""The tutorial on display: what its figures are drawn from, and the figure that texture statistics make."""

from functools import cache

import pytest
import torch
from torch import Tensor

import stimsynth as ss
from stimsynth.losses import l2_norm


def img(size: int = 64) -> Tensor:
    return torch.cat([ss.images.load(name, size=size) for name in ("camera", "chelsea")], dim=0)


def test_a_pyramid_is_a_tensor_with_a_channel_for_each_band() -> None:
    shape = (64, 64)
    pyr = ss.transforms.SteerablePyramidFreq(shape, downsample=False, height=1, order=2)
    coeffs, _ = pyr.convert_pyr_to_tensor(pyr(img()), split_complex=False)
    assert coeffs.shape == (2, 5, 64, 64)
    # The first and the last channel are the residuals, and what is between are the bands.
    bands = pyr(img())
    torch.testing.assert_close(coeffs[:, :1], bands["residual_highpass"])
    torch.testing.assert_close(coeffs[:, -1:], bands["residual_lowpass"])


def test_a_complex_pyramid_of_any_height() -> None:
    pyr = ss.transforms.SteerablePyramidFreq(
        (256, 256), downsample=False, height="auto", order=3, is_complex=True, tight_frame=False
    )
    coeffs, _ = pyr.convert_pyr_to_tensor(pyr(img(256)), split_complex=False)
    assert coeffs.shape == (2, 26, 256, 256)
    assert coeffs.is_complex()


@cache
def met() -> ss.Metamer:
    model = ss.OnOff((7, 7))
    ss.remove_grad(model)
    met = ss.Metamer(img(128)[:1], model)
    met.synthesize(max_iter=100, store_progress=True)
    return met


@pytest.mark.long
def test_the_synthesis_can_be_looked_at_at_any_iteration() -> None:
    run = met()
    assert run.target_representation.shape == (1, 2, 128, 128)
    for iteration in (10, -1):
        image = run.saved_metamer[iteration]
        error = run.target_representation - run.model(image)
        assert error.square().mean().item() == pytest.approx(run.losses[iteration].item(), rel=2e-3)
    assert run.losses[-1] < 6.0124e-6  # where the tutorial stopped


def test_histograms_of_pixels_can_be_compared() -> None:
    run = met()
    counts = [torch.histc(x.detach(), 20, 0, 1) for x in (run.metamer, run.image)]  # type: ignore[union-attr]
    # All pixels are in the range, so that no bar lies outside the axes.
    assert [int(c.sum()) for c in counts] == [128 * 128] * 2


def test_texture_statistics_have_a_figure_of_their_own() -> None:
    pytest.importorskip("matplotlib")
    ps = ss.PortillaSimoncelli((64, 64), n_scales=3)
    rep = ps(ss.images.load("grass", size=64))
    _figure, axes = ps.plot_representation(data=rep, ylim=False)
    assert len(axes) == 8
    assert all(ax.get_title() for ax in axes)


def test_every_tenth_iterate_of_a_texture_is_kept() -> None:
    reptile = ss.images.load("gravel", size=64)
    ps = ss.PortillaSimoncelli((64, 64), n_scales=3)
    run = ss.MetamerCTF(reptile, ps, loss_function=l2_norm, coarse_to_fine="together")
    run.synthesize(
        max_iter=60, store_progress=10, change_scale_criterion=None, ctf_iters_to_check=10
    )
    assert len(run.saved_metamer) == 7
    assert run.scales_finished == ("pixel_statistics", "residual_lowpass", 2, 1, 0)
    torch.testing.assert_close(run.saved_metamer[-1], run.metamer)
    whole = [(ps(x) - ps(reptile)).norm().item() for x in run.saved_metamer[[0, 3, 6]]]
    assert whole[0] > 2 * whole[2]
