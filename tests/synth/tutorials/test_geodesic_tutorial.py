"""The tutorial on geodesics: a translation seen by Fourier amplitudes and by a front end."""

from functools import cache

import pytest
import torch
from torch import Tensor, nn

import stimsynth as ss
from stimsynth.transforms import (
    blur_downsample,
    center_crop,
    rescale,
    translation_sequence,
)
from tests.synth.tutorials.looks import photograph
from tests.synth.tutorials.test_eigendistortion_tutorial import Network


@cache
def vid(source: str = "bundled") -> Tensor:
    """Return the video of a moved texture, or of the tutorial's photograph where its package is installed."""
    einstein = source == "tutorials"
    start = photograph("einstein", source) if einstein else ss.images.load("gravel", size=256)
    image = blur_downsample(start, n_scales=2)
    moved = translation_sequence(image, n_steps=20)
    return rescale(center_crop(moved, 32), 0, 1)


class Fourier(nn.Module):
    """The amplitudes of all frequencies, or the spectrum itself."""

    def __init__(self, representation: str = "amp") -> None:
        super().__init__()
        self.representation = representation

    def forward(self, x: Tensor) -> Tensor:
        spectrum = torch.fft.rfftn(x, dim=(2, 3))
        return torch.abs(spectrum) if self.representation == "amp" else spectrum


@cache
def amplitudes() -> ss.Geodesic:
    n_steps = len(vid()) - 1
    moog = ss.Geodesic(vid()[:1], vid()[-1:], Fourier("amp"), n_steps, "bridge", seed=0)
    optim = torch.optim.Adam([moog.interior], lr=0.01, amsgrad=True)
    moog.synthesize(max_iter=500, optimizer=optim, store_progress=True)
    return moog


@cache
def front_end(source: str = "bundled") -> ss.Geodesic:
    with pytest.warns(UserWarning, match="pretrained is True but cache_filt is False"):
        model = ss.OnOff(kernel_size=(31, 31), pretrained=True)
    ss.remove_grad(model)
    moog = ss.Geodesic(
        vid(source)[:1], vid(source)[-1:], model, 10, initial_sequence="bridge", seed=0
    )
    moog.synthesize(store_progress=True)
    return moog


def test_a_video_of_a_translation() -> None:
    assert vid().shape == (21, 1, 32, 32)
    assert (vid().min(), vid().max()) == (0, 1)
    # Every frame is the one before, a pixel further on; at the border others come in.
    torch.testing.assert_close(vid()[1, ..., 1:], vid()[0, ..., :-1])


def test_the_criterion_is_said_and_comes_from_the_pixelfade(
    capsys: pytest.CaptureFixture[str],
) -> None:
    moog = ss.Geodesic(vid()[:1], vid()[-1:], Fourier("amp"), 20)
    moog.synthesize(max_iter=1)
    expected = moog.pixelfade.norm().item() / 1e4 * (1 + 5**0.5) / 2
    assert capsys.readouterr().out == f"Stop criterion for pixel_change_norm = {expected:.5e}\n"


@pytest.mark.long
@pytest.mark.parametrize("which", [amplitudes, front_end])
def test_the_loss_falls_and_the_ends_stay(which: object) -> None:
    moog = which()  # type: ignore[operator]
    assert moog.losses[-1] < 0.9 * moog.losses[0]
    assert moog.geodesic.shape == moog.pixelfade.shape
    assert torch.equal(moog.geodesic[:1], vid()[:1])
    assert torch.equal(moog.geodesic[-1:], vid()[-1:])


@pytest.mark.parametrize("which", [amplitudes, front_end])
def test_no_path_has_less_energy_than_the_straight_line(which: object) -> None:
    moog = which()  # type: ignore[operator]
    ends = moog.model(moog.image_a) - moog.model(moog.image_b)
    bound = torch.linalg.vector_norm(ends) ** 2 / moog.n_steps**2
    rows = len(moog.losses)
    assert moog.step_energy.shape == (rows, moog.n_steps)
    energies = moog.step_energy.mean(1)
    assert bool((energies >= bound * (1 - 1e-4)).all())
    assert moog.bound_ratio.item() == pytest.approx((energies[-1] / bound).item(), rel=1e-3)
    assert energies[-1] / bound - 1 < 0.25 * (energies[0] / bound - 1)
    uneven = moog.step_energy.amax(1) / moog.step_energy.amin(1)
    assert uneven[-1] < uneven[0]


@pytest.mark.parametrize(
    ("which", "above", "uneven"), [(amplitudes, 1e-4, 2e-3), (front_end, 1e-2, 3e-2)]
)
def test_a_geodesic_has_the_least_energy_there_can_be_and_equal_steps(
    which: object, above: float, uneven: float
) -> None:
    """The tutorial's loss of 83.254 is the bound to all its digits; the straight line has 100.1."""
    moog = which()  # type: ignore[operator]
    assert moog.status[0].finished
    assert len(moog.losses) < 500
    assert moog.losses[-1] == pytest.approx(moog.energy_bound.item(), rel=above)
    steps = moog.step_energy[-1]
    assert steps.max() < (1 + uneven) * steps.min()
    fade = ss.Geodesic(moog.image_a, moog.image_b, moog.model, moog.n_steps, "straight")
    assert fade.objective_function() > moog.losses[-1]


@pytest.mark.parametrize("which", [amplitudes, front_end])
def test_the_path_comes_close_to_the_line_and_gets_straighter(which: object) -> None:
    moog = which()  # type: ignore[operator]
    assert moog.dev_from_line.shape == (len(moog.losses), moog.n_steps + 1, 2)
    away = moog.dev_from_line[..., 1]
    assert away[-1].max() < away[0].max()
    final = moog.calculate_jerkiness()
    assert final.shape == (moog.n_steps - 1,)
    if which is front_end:  # at the least energy amplitudes do not accelerate at all
        assert final.mean() < 0.5 * moog.calculate_jerkiness(moog.saved_geodesic[0]).mean()


def test_amplitudes_do_not_see_the_translation_and_the_geodesic_is_no_video() -> None:
    """That is the excess invariance that the geodesic of this model reveals."""
    circular = torch.cat([vid()[:1].roll(s, -1) for s in range(3)])
    seen = Fourier("amp")(circular)
    torch.testing.assert_close(seen[1:], seen[:1].expand(2, -1, -1, -1), atol=1e-3, rtol=1e-4)
    middle = amplitudes().geodesic[10]
    assert (middle - vid()[10]).norm() > 0.5 * (amplitudes().pixelfade[10] - vid()[10]).norm()


def test_pixels_of_the_front_ends_geodesic_stay_in_the_range() -> None:
    moog = front_end()
    assert moog.geodesic.squeeze().shape == (11, 32, 32)
    assert moog.geodesic.min() >= 0
    assert moog.geodesic.max() <= 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what the peer warns of is its own
def test_a_geodesic_of_the_front_end_between_the_tutorials_frames() -> None:
    """No path can have its loss of 6.3326e-3: the peer's own front end gives a bound of 9.3526e-3."""
    moog = front_end("tutorials")
    peer = pytest.importorskip("plenoptic").models.OnOff(31, pretrained=True, cache_filt=True)
    with torch.no_grad():
        bound = ((peer(moog.image_a) - peer(moog.image_b)).norm() ** 2 / 10**2).item()
    assert bound == pytest.approx(9.3526e-3, abs=5e-8)
    assert bound > 6.3326e-3
    assert moog.energy_bound.item() == pytest.approx(bound, rel=1e-5)
    assert moog.status[0].finished
    assert bound * (1 - 1e-5) <= moog.losses[-1].item() < 1.01 * bound
    assert moog.geodesic.squeeze().shape == (11, 32, 32)
    assert moog.geodesic.min() >= 0
    assert moog.geodesic.max() <= 1


def test_a_geodesic_of_a_layer_between_a_photograph_and_its_moved_copy() -> None:
    """25 steps between colours that were moved, turned and enlarged; the tutorial's layer is VGG's."""
    image = center_crop(ss.images.get("astronaut", as_gray=False), 64)
    turned = torch.tensor([[[0.9, -0.05, 0.03], [0.05, 0.9, 0.0]]])
    grid = nn.functional.affine_grid(turned, list(image.shape), align_corners=False)
    moved = nn.functional.grid_sample(image, grid, padding_mode="border", align_corners=False)
    layer = ss.features(Network().eval(), "features.6")
    moog = ss.Geodesic(image, moved.clamp(0, 1), layer)
    moog.synthesize(max_iter=25, store_progress=True)
    assert moog.geodesic.shape == (11, 3, 64, 64)
    assert moog.losses[-1] < moog.losses[0]
    assert moog.bound_ratio < 1.2
    assert torch.equal(moog.geodesic[-1:], moved.clamp(0, 1))


def test_loss_and_deviation_are_drawn() -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    from stimsynth.plots import plot_deviation_from_line, plot_loss

    axes = Figure().subplots(2, 1)
    plot_loss(amplitudes(), ax=axes[0])
    plot_deviation_from_line(amplitudes(), vid(), ax=axes[1])
    assert axes[0].get_yscale() == "log"
    assert len(axes[1].lines) >= 3  # pixelfade, geodesic, video
