"""The introduction: metamers of three models of growing complexity, from noise and from photographs."""

from functools import cache

import pytest
import torch
from torch import Tensor

import stimsynth as ss
from stimsynth.losses import l2_norm
from stimsynth.transforms import circular_gaussian2d, rescale, same_padding
from tests.synth.tutorials.looks import above, alike, apart, cycles, share_above

SIZE = 64


def img() -> Tensor:
    return ss.images.load("camera", size=SIZE)


@cache
def starts() -> dict[str, Tensor]:
    ss.set_seed(1)
    return {
        "white": rescale(torch.rand_like(img()), a=0, b=1),
        "pink": rescale(ss.images.pink_noise(SIZE, seed=1)),
        "photograph": ss.images.load("chelsea", size=SIZE),
    }


def init_img() -> Tensor:
    return torch.cat(list(starts().values()))


class Gaussian(torch.nn.Module):
    """The tutorial's own blur."""

    def __init__(self, kernel_size: tuple[int, int], std_dev: float = 3) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.conv = torch.nn.Conv2d(1, 1, kernel_size=kernel_size, padding=(0, 0), bias=False)
        self.conv.weight.data[0, 0] = circular_gaussian2d(kernel_size, float(std_dev))

    def forward(self, x: Tensor) -> Tensor:
        x = same_padding(x, self.kernel_size, pad_mode="circular")
        return self.conv(x)


def gaussian() -> torch.nn.Module:
    model = Gaussian((31, 31))
    ss.remove_grad(model)
    return model.eval()


def center_surround() -> torch.nn.Module:
    model = ss.CenterSurround((31, 31), center_std=1.962, surround_std=4.235, pad_mode="circular")
    ss.remove_grad(model)
    return model.eval()


def luminance_gain_control() -> torch.nn.Module:
    model = ss.LuminanceGainControl((31, 31), pad_mode="circular")
    params_dict = {
        "luminance_scalar": 14.95,
        "luminance.std": 4.235,
        "center_surround.center_std": 1.962,
        "center_surround.surround_std": 4.235,
        "center_surround.amplitude_ratio": 1.25,
    }
    model.load_state_dict({k: torch.as_tensor([v]) for k, v in params_dict.items()})
    ss.remove_grad(model)
    return model.eval()


def test_the_tutorials_blur_is_the_librarys() -> None:
    ours = ss.remove_grad(ss.Gaussian((31, 31), std=3.0, pad_mode="circular"))
    torch.testing.assert_close(gaussian()(img()), ours(img()), atol=5e-6, rtol=0)


def test_a_run_in_two_calls_begins_at_noise() -> None:
    metamer = ss.Metamer(img(), gaussian())
    metamer.synthesize(store_progress=True, max_iter=20)
    metamer.synthesize(store_progress=True, max_iter=30)
    assert metamer.saved_metamer.shape == (51, 1, 1, SIZE, SIZE)
    # The figure's first column: what synthesis began with, uniform noise.
    assert share_above(metamer.saved_metamer[0] - 0.5, 0.25) > 0.7
    torch.testing.assert_close(metamer.saved_metamer[-1], metamer.metamer)


@pytest.mark.long
@pytest.mark.parametrize("name", ["white", "pink", "photograph"])
def test_blurs_of_all_metamers_are_one_and_the_metamers_keep_their_starts(name: str) -> None:
    start = starts()[name]
    metamer = ss.Metamer(img(), gaussian(), initial_image=start)
    metamer.synthesize(max_iter=80, stop_criterion=1e-7)
    found, model = metamer.metamer, gaussian()
    assert apart(model(found), model(img())) < 1e-3
    assert apart(found, img()) > 0.1
    # The model is blind to high frequencies: they are those of the start, and nothing of the target's.
    assert alike(above(found, 0.2), above(start, 0.2)) > 0.85
    assert abs(alike(above(found, 0.2), above(img(), 0.2))) < 0.1


@cache
def center_surround_metamers(steps: int = 120) -> ss.Metamer:
    # one call for three metamers: targets and starts are matched one to one
    metamer = ss.Metamer(img().repeat(3, 1, 1, 1), center_surround(), initial_image=init_img())
    metamer.synthesize(steps, stop_criterion=1e-7)
    return metamer


def test_three_metamers_in_one_call() -> None:
    metamer, model = center_surround_metamers(), center_surround()
    for found, start in zip(metamer.metamer[:, None], starts().values(), strict=True):
        assert apart(model(found), model(img())) < 5e-3
        assert apart(found, img()) > 0.05
        assert alike(above(found, 0.3), above(start, 0.3)) > 0.8


def test_each_of_three_is_what_it_would_be_alone() -> None:
    together = ss.Metamer(
        img().repeat(3, 1, 1, 1).double(), center_surround().double(), initial_image=init_img()
    )
    together.synthesize(20, stop_criterion=1e-7)
    for i, start in enumerate(starts().values()):
        alone = ss.Metamer(img().double(), center_surround().double(), initial_image=start)
        alone.synthesize(20, stop_criterion=1e-7)
        torch.testing.assert_close(together.losses[:, i], alone.losses[:, 0], rtol=1e-5, atol=0)
        torch.testing.assert_close(together.metamer[i], alone.metamer[0], rtol=0, atol=1e-6)


def test_gain_control_hardly_sees_twice_the_light() -> None:
    bright, center = luminance_gain_control(), center_surround()
    seen, twice = bright(img()), bright(2 * img())
    # Softplus adds log 2 to everything; what varies is what there is to see.
    assert apart(twice, seen) < 0.01
    assert apart(twice - twice.mean(), seen - seen.mean()) < 0.2
    assert alike(twice, seen) > 0.99
    assert apart(center(2 * img()), center(img())) == pytest.approx(1, rel=1e-4)


def test_metamers_of_gain_control() -> None:
    model = luminance_gain_control()
    metamer = ss.Metamer(img().repeat(3, 1, 1, 1), model, initial_image=init_img())
    metamer.synthesize(100, stop_criterion=1e-11)
    seen = model(img())
    for found, start in zip(metamer.metamer[:, None], starts().values(), strict=True):
        difference = model(found) - seen
        assert difference.norm() < 0.02 * (seen - seen.mean()).norm()
        assert apart(found, img()) > 0.1
        assert alike(above(found, 0.3), above(start, 0.3)) > 0.8
    assert all(quality.good for quality in metamer.quality())


def test_the_tutorials_own_optimizer_lowers_the_loss() -> None:
    model = luminance_gain_control()
    metamer = ss.Metamer(img().repeat(3, 1, 1, 1), model, initial_image=init_img())
    opt = torch.optim.Adam([metamer.metamer], 0.007, amsgrad=True)
    metamer.synthesize(80, stop_criterion=1e-11, optimizer=opt)
    assert metamer.optimizer is opt
    assert bool((metamer.losses[-1] < 0.2 * metamer.losses[0]).all())


@cache
def distorted(name: str, picture: str = "target") -> ss.Eigendistortion:
    models = {"gaussian": gaussian, "center": center_surround, "gain": luminance_gain_control}
    eig = ss.Eigendistortion(img() if picture == "target" else starts()[picture], models[name]())
    eig.synthesize()
    return eig


@pytest.mark.long
def test_each_model_prefers_its_own_frequencies() -> None:
    gauss, center = distorted("gaussian"), distorted("center")
    assert cycles(gauss.eigendistortions[0]) < 2
    assert 3 < cycles(center.eigendistortions[0]) < 10
    # The least noticeable changes are alike: as fast as can be.
    for eig in (gauss, center, distorted("gain")):
        assert cycles(eig.eigendistortions[1]) > 20


def reached(name: str, shift: int) -> float:
    """Return how far the model's output moves with its first distortion, rolled to the side."""
    eig = distorted(name)
    moved = eig.image + eig.eigendistortions[:1].roll(shift, -1)
    return l2_norm(eig.model(eig.image), eig.model(moved)).item()


def test_the_place_of_a_distortion_matters_to_gain_control_alone() -> None:
    for linear in ("gaussian", "center"):
        assert reached(linear, SIZE // 2) == pytest.approx(reached(linear, 0), rel=1e-4)
    assert reached("gain", SIZE // 2) < 0.5 * reached("gain", 0)


@pytest.mark.parametrize("picture", ["target", "photograph"])
def test_gain_control_is_most_sensitive_where_it_is_dark(picture: str) -> None:
    eig = distorted("gain", picture)
    where = eig.eigendistortions[:1] ** 2
    light = ss.remove_grad(ss.Gaussian(15, 3.0, pad_mode="circular"))(eig.image)
    assert (light * where).sum() < light.quantile(0.1)
    # A linear model's first distortion does not depend on the image.
    same = distorted("center", picture).eigenvalues[0].item()
    assert same == pytest.approx(distorted("center").eigenvalues[0].item(), rel=1e-4)


@pytest.mark.slow
def test_the_default_is_past_the_tutorials_3500_steps_after_150() -> None:
    model, target = luminance_gain_control(), img().repeat(3, 1, 1, 1)
    theirs = ss.Metamer(target, model, initial_image=init_img())
    opt = torch.optim.Adam([theirs.metamer], 0.007, amsgrad=True)
    theirs.synthesize(3500, stop_criterion=1e-11, optimizer=opt)
    ours = ss.Metamer(target, model, initial_image=init_img())
    ours.synthesize(150, stop_criterion=1e-11)
    assert all(quality.figures["share of start"] < 0.1 for quality in theirs.quality())
    assert bool((ours.losses[-1] < 0.1 * theirs.losses[-1]).all())
