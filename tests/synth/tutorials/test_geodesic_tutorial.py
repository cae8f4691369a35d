"""The tutorial on geodesics, as a user types it, and what it says comes out.

Its photographs are not ours to ship. Others stand in, and what is asserted does not depend on the picture.
"""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stimsynth import Geodesic, OnOff, features, images, remove_grad
from stimsynth.images import to_numpy
from stimsynth.transforms import (
    blur_downsample,
    center_crop,
    deviation_from_line,
    rescale,
    translation_sequence,
)

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure

from stimsynth.plots.geodesic import plot_deviation_from_line, plot_loss


@pytest.fixture(scope="module")
def video() -> Tensor:
    image_size = 64
    photograph = images.load("astronaut", size=256)
    photograph = blur_downsample(photograph, n_scales=2)
    vid = translation_sequence(photograph, n_steps=20)
    vid = center_crop(vid, image_size // 2)
    return rescale(vid, 0, 1)


class Fourier(nn.Module):
    def __init__(self, representation: str = "amp") -> None:
        super().__init__()
        self.representation = representation

    def spectrum(self, x: Tensor) -> Tensor:
        return torch.fft.rfftn(x, dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        if self.representation == "amp":
            return torch.abs(self.spectrum(x))
        if self.representation == "phase":
            return torch.angle(self.spectrum(x))
        if self.representation == "rectangular":
            return self.spectrum(x)
        return torch.cat((torch.abs(self.spectrum(x)), torch.angle(self.spectrum(x))), dim=1)


def lowest_energy(moog: Geodesic) -> Tensor:
    """The line in the tutorial's picture of step energies."""
    difference = moog.model(moog.image_a) - moog.model(moog.image_b)
    return torch.linalg.vector_norm(difference, ord=2) ** 2 / moog.n_steps**2


def figures(moog: Geodesic, vid: Tensor | None = None) -> None:
    """Draw what the tutorial draws after each synthesis."""
    fig = Figure(figsize=(5, 8))
    axes = fig.subplots(2, 1)
    plot_loss(moog, ax=axes[0])
    plot_deviation_from_line(moog, vid, ax=axes[1])
    assert len(axes[0].lines[0].get_ydata()) == len(moog.losses)
    assert len(axes[1].lines) == (2 if vid is None else 3)
    ax = Figure().add_subplot()
    ax.plot(to_numpy(moog.step_energy), alpha=0.2)
    ax.plot(moog.step_energy.mean(1), "r-", label="path energy")
    ax.axhline(lowest_energy(moog))
    ax.set_yscale("log")
    assert len(ax.lines) == moog.n_steps + 2


def test_the_video_and_its_ends(video: Tensor) -> None:
    img_a, img_b = video[0:1], video[-1:]
    assert img_a.shape == img_b.shape == (1, 1, 32, 32)
    assert video.shape == (21, 1, 32, 32)
    assert to_numpy(video).squeeze().shape == (21, 32, 32)
    assert (video.min(), video.max()) == (0, 1)
    assert torch.equal(video[1:, ..., 1:], video[:-1, ..., :-1])  # a pixel to the right every frame


def test_excess_invariance_of_the_fourier_amplitude(
    video: Tensor, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Fourier("amp")
    n_steps = len(video) - 1
    moog = Geodesic(video[0:1], video[-1:], model, n_steps, initial_sequence="bridge")
    optim = torch.optim.Adam([moog.interior], lr=0.01, amsgrad=True)
    moog.synthesize(max_iter=500, optimizer=optim, store_progress=True)

    golden = moog.pixelfade.norm() / 1e4 * (1 + math.sqrt(5)) / 2
    assert f"Stop criterion for pixel_change_norm = {golden:.5e}" in capsys.readouterr().out
    assert len(moog.losses) - 1 < 500  # it stops by itself
    assert bool((moog.pixel_change_norm[-50:] < golden).all())
    figures(moog, video)

    bound = lowest_energy(moog)
    torch.testing.assert_close(bound, moog.energy_bound)
    assert moog.step_energy.shape == (len(moog.losses), 20)
    assert bool((moog.step_energy.mean(1) >= bound).all())
    assert moog.step_energy[-1].mean() < 1.01 * bound
    assert moog.step_energy[-1].max() < 1.05 * moog.step_energy[-1].min()  # equal steps
    assert moog.losses[-1] < 0.5 * moog.objective_function(moog.pixelfade)
    assert moog.losses[-1] < 0.5 * moog.objective_function(video)
    assert moog.calculate_jerkiness().detach().shape == (19,)
    assert moog.dev_from_line[..., 1].shape == (len(moog.losses), 21)
    fade = deviation_from_line(model(moog.pixelfade))[1]
    assert moog.dev_from_line[-1, :, 1].max() < 0.1 * fade.max()

    pixelfade = to_numpy(moog.pixelfade.squeeze())
    geodesic = to_numpy(moog.geodesic.squeeze())
    assert (
        geodesic[:, 16].shape == pixelfade[:, 16].shape == (21, 32)
    )  # a line of pixels through time
    assert bool((geodesic[[0, -1]] == pixelfade[[0, -1]]).all())


def test_a_physiologically_inspired_model(
    video: Tensor, capsys: pytest.CaptureFixture[str]
) -> None:
    model = OnOff(kernel_size=(31, 31), pretrained=True, cache_filt=True)
    remove_grad(model)
    assert model(video[0:1]).shape == (1, 2, 32, 32)
    moog = Geodesic(video[0:1], video[-1:], model, 10, initial_sequence="bridge")
    moog.synthesize(store_progress=True)

    assert "Stop criterion for pixel_change_norm = " in capsys.readouterr().out
    assert len(moog.losses) - 1 < 1000
    figures(moog)
    assert moog.losses[-1] < moog.losses[0]
    assert moog.losses[-1] < moog.objective_function(moog.pixelfade)
    assert bool((moog.step_energy.mean(1) >= lowest_energy(moog)).all())
    fade = deviation_from_line(model(moog.pixelfade))[1]
    assert moog.dev_from_line[-1, 1:-1, 1].max() < fade.max()
    jerkiness = moog.calculate_jerkiness().detach()
    began = moog.calculate_jerkiness(moog.saved_geodesic[0])
    assert jerkiness.shape == (9,)
    assert jerkiness.max() < 0.1 * began.min()

    geodesic = to_numpy(moog.geodesic).squeeze()
    pixelfade = to_numpy(moog.pixelfade).squeeze()
    assert geodesic.shape == pixelfade.shape == (11, 32, 32)
    # Checking that the range constraint is met.
    assert geodesic.min() >= 0
    assert geodesic.max() <= 1


def conv_net(widths: tuple[int, ...]) -> nn.Module:
    """Blocks of two convolutions and a pooling, as VGG has them, with weights drawn from a seed."""
    generator = torch.Generator().manual_seed(0)
    layers: list[nn.Module] = []
    before = 3
    for width in widths:
        for entering in (before, width):
            layer = nn.Conv2d(entering, width, 3, padding=1)
            spread = math.sqrt(2 / (9 * entering))
            layer.weight.data = spread * torch.randn(layer.weight.shape, generator=generator)
            layer.bias.data.zero_()  # type: ignore[union-attr]
            layers += [layer, nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
        before = width
    return nn.Sequential(*layers)


def photograph_and_its_shift(size: int) -> tuple[Tensor, Tensor]:
    whole = images.get("astronaut", as_gray=False)
    return whole[..., 20 : 20 + size, 60 : 60 + size], whole[..., 26 : 26 + size, 66 : 66 + size]


@pytest.mark.parametrize(
    ("size", "widths"),
    [(32, (8, 16)), pytest.param(64, (32, 64, 128), marks=pytest.mark.slow)],
)
def test_a_pooling_layer_of_a_network(
    size: int, widths: tuple[int, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """The tutorial takes the third pooling of VGG16, and stops long before the end."""
    img_a, img_b = photograph_and_its_shift(size)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    pool = features(conv_net(widths), str(5 * len(widths) - 1), mean=mean, std=std)
    moog = Geodesic(img_a, img_b, pool)
    moog.synthesize(max_iter=25)

    assert "Stop criterion for pixel_change_norm = " in capsys.readouterr().out
    assert moog.losses.shape == (26, 1)
    assert moog.losses[-1] < moog.losses[0]
    torch.testing.assert_close(moog.losses[0, 0], moog.objective_function(moog.pixelfade))
    fig: Any = Figure(figsize=(5, 8)).subplots(2, 1)
    plot_loss(moog, ax=fig[0])
    plot_deviation_from_line(moog, ax=fig[1])
    assert moog.calculate_jerkiness().detach().shape == (9,)
    assert moog.geodesic.shape == moog.pixelfade.shape == (11, 3, size, size)
    difference = (moog.geodesic - moog.pixelfade)[1:-1]
    assert bool((difference.abs().amax((1, 2, 3)) > 0).all())
    assert rescale(difference).max() == 1
