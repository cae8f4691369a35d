"""The tutorial on textures at its own size, with its statistics, recipe, losses and numbers of steps.

Its photographs are not free; here are textures of the same classes, photographed or drawn by our code.
"""

from collections.abc import Callable, Sequence
from functools import partial

import pytest
import torch
from torch import Tensor

import stimsynth as ss
from stimsynth.images import isotrigon, scattered_shapes
from stimsynth.losses import l2_norm
from tests.synth.tutorials.looks import photograph
from tests.synth.tutorials.test_portilla_simoncelli import GROUPS, histograms_apart

SIZE = (256, 256)


def statistics(**kwargs: object) -> ss.PortillaSimoncelli:
    return ss.PortillaSimoncelli(SIZE, spatial_corr_width=9, **kwargs)  # type: ignore[arg-type]


def photographed(name: str) -> Tensor:
    return ss.images.load(name, size=256)


def near_the_mean(image: Tensor, width: float = 0.01) -> Tensor:
    return (ss.images.uniform_noise((1, 1, *SIZE), 1) - 0.5) * width + image.mean()


def synthesized(
    image: Tensor,
    model: ss.PortillaSimoncelli,
    figure: float,
    steps: int,
    start: Tensor | None = None,
    every: int = 3,
) -> ss.MetamerCTF:
    """Run the tutorial's recipe until its figure is reached, or its number of steps is spent."""
    met = ss.MetamerCTF(
        image,
        model,
        loss_function=l2_norm,
        initial_image=near_the_mean(image) if start is None else start,
        coarse_to_fine="together",
    )
    met.synthesize(steps, change_scale_criterion=None, ctf_iters_to_check=every, stop_loss=figure)
    return met


def curves() -> Tensor:
    """Return black curved lines on white: where smooth noise is near its mean."""
    smooth = ss.Gaussian(31, 5.0, pad_mode="circular")(
        ss.images.uniform_noise((1, 1, *SIZE), 1) - 0.5
    )
    return (smooth.abs() > 0.25 * smooth.std()).float()


#: What draws or loads a texture of each class.
TEXTURES = {
    "squares": partial(scattered_shapes, seed=1),
    "disks": partial(scattered_shapes, shape="disk", seed=1),
    "curves": curves,
    "dashes": partial(scattered_shapes, shape="bar", side_px=24, seed=1),
    "pluses": partial(scattered_shapes, shape="plus", side_px=20, seed=1),
    "Julesz, 1": partial(isotrigon, product=1),
    "Julesz, -1": partial(isotrigon, product=-1),
    "bars of all directions": partial(
        scattered_shapes, shape="bar", side_px=28, direction_deg=None, seed=1
    ),
    "bricks": partial(photographed, "brick"),
    "grass": partial(photographed, "grass"),
    "gravel": partial(photographed, "gravel"),
    "a portrait": partial(photographed, "camera"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "figure", "steps"),
    [
        ("squares", 2.9268, 3000),
        ("disks", 2.9268, 3000),
        ("curves", 2.9268, 3000),
        ("dashes", 2.9268, 3000),
        ("pluses", 2.9268, 3000),
        ("Julesz, 1", 0.39404, 3000),
        ("Julesz, -1", 0.32113, 1860),
        ("bricks", 0.23135, 550),
        ("grass", 0.096799, 425),
        ("gravel", 0.074121, 412),
        ("a portrait", 0.10463, 249),
        # The tutorial's limit is 3000; it had spent 1366, where these bars are at 0.2237.
        ("bars of all directions", 0.20882, 3000),
    ],
)
def test_a_texture_of_each_class_reaches_the_tutorials_loss_in_its_steps(
    name: str, figure: float, steps: int
) -> None:
    image = TEXTURES[name]()
    met = synthesized(image, statistics(), figure, steps)
    assert met.losses[-1] <= figure
    # Another image: a copy of the target would be correlated with it.
    assert abs(torch.corrcoef(torch.cat([met.metamer, image]).flatten(1))[0, 1]) < 0.4


def norm_of(keys: Sequence[str], change: Tensor) -> float:
    differences = statistics().convert_to_dict(change)
    return sum(float(differences[key].nan_to_num().square().sum()) for key in keys) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "make", "full", "less"),
    [
        ("marginal", lambda: photographed("gravel") ** 3, (0.20057, 374), (0.063014, 1577)),
        ("auto-correlation", TEXTURES["bricks"], (0.10762, 3000), (0.9205, 3000)),
        ("magnitude", TEXTURES["grass"], (0.091164, 522), (0.071354, 479)),
        ("phase", TEXTURES["gravel"], (0.073351, 482), (0.07208, 512)),
    ],
)
def test_what_is_removed_is_what_is_missed(
    group: str, make: Callable[[], Tensor], full: tuple[float, int], less: tuple[float, int]
) -> None:
    """With and without a group the tutorial's losses are reached; what then differs is that group."""
    image, whole, keys = make(), statistics(), GROUPS[group]
    # The tutorial's two losses differ. Where that without the group is the lower, both are compared at it.
    with_all = synthesized(image, whole, min(full[0], less[0]), full[1])
    without = synthesized(image, statistics(leave_out=keys), *less)
    assert with_all.losses[-1] <= full[0]
    assert without.losses[-1] <= less[0]
    errors = [whole(met.metamer) - whole(image) for met in (with_all, without)]
    assert norm_of(keys, errors[1]) > 10 * norm_of(keys, errors[0])
    assert norm_of(keys, errors[1]) > 0.9 * errors[1].norm()
    if group == "marginal":
        apart = [histograms_apart(met.metamer, image) for met in (with_all, without)]
        assert apart[1] > 1.5 * apart[0]


@pytest.mark.slow
def test_bare_statistics_are_met_from_noise_near_the_mean() -> None:
    image = photographed("gravel")
    met = synthesized(image, statistics(), 0.08739, 734, near_the_mean(image, 0.1), every=7)
    assert met.losses[-1] <= 0.08739


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gravel", "brick"])
def test_noise_over_the_whole_range_is_as_good_a_start_as_noise_near_the_mean(name: str) -> None:
    """The tutorial's run from the whole range "gets stuck"; from near the mean it takes 734 steps.

    By its recipe, with statistics balanced by their sensitivity, both take 150 at most.
    """
    image, bare, ends = photographed(name), statistics(), []
    model = ss.balanced_by_sensitivity(bare, image)
    for start in (near_the_mean(image, 0.1), ss.images.uniform_noise((1, 1, *SIZE), 1)):
        met = synthesized(image, model, 0, 150, start, every=7)
        ends.append((bare(met.metamer) - bare(image)).norm().item())
    assert max(ends) <= 0.08739
    assert max(ends) < 1.25 * min(ends)


@pytest.mark.slow
def test_ten_steps_without_scales() -> None:
    met = ss.Metamer(photographed("brick"), statistics())
    met.synthesize(10)
    assert met.losses[-1] < 0.045063


@pytest.mark.slow
@pytest.mark.parametrize("source", ["bundled", "tutorials"])
def test_reptile_skin_from_coarse_to_fine(source: str) -> None:
    """After 100 steps of a criterion it works on the first scales; with 7 steps a scale all are met."""
    image, model = photograph("reptile_skin", source), statistics()
    assert model(image).shape == (1, 1, 1046)
    assert model(image, scales=[0]).shape == (1, 1, 261)
    met = ss.MetamerCTF(image, model, loss_function=l2_norm, coarse_to_fine="together")
    met.synthesize(100)
    assert met.scales_finished == ("pixel_statistics",)
    assert met.scales[0] == "residual_lowpass"
    assert met.scales_loss[-1] < 1.3752
    assert (model(met.metamer) - model(image)).norm() < 7.7466
    start = ss.images.uniform_noise((1, 1, *SIZE), 1) * 0.1 + image.mean()
    met = synthesized(image, model, 0.15794, 500, start, every=7)
    assert met.losses[-1] <= 0.15794
    assert met.scales_timing["all"] == [42]
    assert 0 in met.scales_finished
    assert "residual_highpass" not in met.scales_timing
    # The tutorial on display: from noise over the whole range, with ten steps a scale.
    met = synthesized(image, model, 0.25739, 400, ss.images.uniform_noise((1, 1, *SIZE), 1), 10)
    assert met.losses[-1] <= 0.25739


@pytest.mark.slow
def test_a_texture_is_extended_around_its_middle() -> None:
    image, mask = photographed("brick"), torch.zeros(1, 1, *SIZE, dtype=torch.bool)
    mask[..., 64:192, 64:192] = True
    model = statistics(target=image, mask=mask)
    met = synthesized(image, model, 0.15536, 830, near_the_mean(image, 0.1))
    assert met.losses[-1] <= 0.15536
    shown = torch.where(mask, image, met.metamer.detach())
    # What is shown is, to the model, what was synthesized, and has the target's statistics.
    torch.testing.assert_close(model(met.metamer), model(shown))
    assert (statistics()(shown) - statistics()(image)).norm() < 0.16


@pytest.mark.slow
def test_a_mixture_of_two_textures() -> None:
    """An aperiodic and a pseudo-periodic texture, as in the tutorial."""
    images = torch.cat([photographed("grass"), photographed("brick")])
    met = synthesized(images, statistics(mixture=[1, 1]), 0.30252, 829)
    assert met.metamer.shape == (1, 1, *SIZE)
    assert met.losses[-1] <= 0.30252
    one, two, new = statistics()(torch.cat([images, met.metamer]))
    half = (one - two).norm() / 2
    # The new one lies in the middle, as near to it as the loss says, and far from both.
    assert (new - (one + two) / 2).norm().item() == pytest.approx(met.losses[-1].item(), rel=1e-3)
    assert met.losses[-1] < 0.1 * half
    assert min((new - one).norm(), (new - two).norm()) > 0.9 * half


@pytest.mark.slow
def test_means_of_magnitudes_change_little() -> None:
    image, start = photographed("grass"), near_the_mean(photographed("grass"), 0.1)
    means = ss.PortillaSimoncelli(SIZE, magnitude_means=True)
    plain = ss.PortillaSimoncelli(SIZE)
    goal = means.convert_to_dict(means(image))["magnitude_means"]
    for model, figure, steps in ((plain, 0.073206, 927), (means, 0.075847, 934)):
        met = synthesized(image, model, figure, steps, start, every=7)
        assert met.losses[-1] <= figure
        found = means.convert_to_dict(means(met.metamer))["magnitude_means"]
        assert (found - goal).norm() < 0.05 * goal.norm()


def test_textures_are_of_the_classes_and_of_the_tutorials_size() -> None:
    images = [make() for make in TEXTURES.values()]
    assert all(image.shape == (1, 1, *SIZE) for image in images)
    assert [len(image.unique()) == 2 for image in images] == [True] * 8 + [False] * 4
    assert statistics()(images[0]).shape == (1, 1, 1046)
