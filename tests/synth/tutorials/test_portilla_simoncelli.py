"""The tutorial on textures: metamers, what each kind of statistics does, extrapolation, mixtures.

Textures are of 64 × 64 pixels and three scales here, where the tutorial has 256 × 256 and four.
"""

from collections import OrderedDict
from collections.abc import Sequence
from functools import cache

import pytest
import torch
from torch import Tensor

import stimsynth as ss
from stimsynth.losses import l2_norm

SIZE = (64, 64)
GROUPS = {
    "marginal": ["pixel_statistics", "skew_reconstructed", "kurtosis_reconstructed"],
    "auto-correlation": ["auto_correlation_reconstructed", "std_reconstructed"],
    "magnitude": [
        "magnitude_std",
        "cross_orientation_correlation_magnitude",
        "cross_scale_correlation_magnitude",
        "auto_correlation_magnitude",
    ],
    "phase": ["cross_scale_correlation_real"],
}


@cache
def texture(name: str = "gravel") -> Tensor:
    """Return a texture whose pixels are far from Gaussian: dark, with few highlights."""
    return ss.images.load(name, size=64) ** 3


def noise(img: Tensor) -> Tensor:
    return (torch.rand_like(img[:1]) - 0.5) * 0.1 + img.mean()


def run_synthesis(img: Tensor, model: torch.nn.Module, steps: int = 60) -> ss.MetamerCTF:
    """Run the tutorial's helper: from coarse to fine, with a new scale every three steps."""
    ss.set_seed(1)
    met = ss.MetamerCTF(
        img,
        model,
        loss_function=l2_norm,
        initial_image=noise(img),
        coarse_to_fine="together",
    )
    met.synthesize(
        max_iter=steps, store_progress=True, change_scale_criterion=None, ctf_iters_to_check=3
    )
    return met


def portilla_simoncelli() -> ss.PortillaSimoncelli:
    return ss.PortillaSimoncelli(SIZE, n_scales=3)


@cache
def full() -> ss.MetamerCTF:
    return run_synthesis(texture(), portilla_simoncelli())


def histograms_apart(one: Tensor, two: Tensor) -> float:
    """Return the earth mover's distance between the pixels' histograms."""
    return (one.flatten().sort().values - two.flatten().sort().values).abs().mean().item()


def error_in(keys: Sequence[str], metamer: Tensor) -> float:
    model = portilla_simoncelli()
    differences = model.convert_to_dict(model(metamer) - model(texture()))
    return sum(float(differences[key].nan_to_num().square().sum()) for key in keys) ** 0.5


def test_scales_and_the_number_of_statistics() -> None:
    img = ss.images.load("gravel", size=256)
    ps = ss.PortillaSimoncelli(img.shape[-2:], spatial_corr_width=9)
    assert ps.scales == ["pixel_statistics", "residual_lowpass", 3, 2, 1, 0, "residual_highpass"]
    assert ps(img).shape == (1, 1, 1046)
    assert ps(img, scales=[0]).shape == (1, 1, 261)


def test_ten_steps_to_see_how_it_works() -> None:
    met = ss.Metamer(texture(), portilla_simoncelli())
    met.synthesize(store_progress=True, max_iter=10)
    assert met.losses[-1] < 0.5 * met.losses[0]
    assert met.saved_metamer.shape == (11, 1, 1, *SIZE)


@pytest.mark.long
def test_from_coarse_to_fine_all_statistics_are_met() -> None:
    met = full()
    assert met.quality()[0].figures["share of start"] < 0.06
    assert histograms_apart(met.metamer, texture()) < 0.15 * texture().std()
    # It is another image, and no copy of the target.
    pair = torch.cat([met.metamer, texture()]).flatten(1)
    assert abs(torch.corrcoef(pair)[0, 1]) < 0.3


def test_what_is_told_of_the_scales() -> None:
    met = full()
    finished = ("pixel_statistics", "residual_lowpass", 2, 1, 0)
    assert met.scales == ("all",)
    assert met.scales_finished == finished
    # The finest scale never comes: together with all others it is "all".
    assert set(met.model.scales) - set(finished) == {"residual_highpass"}  # type: ignore[call-overload]
    assert met.scales_timing == {
        **{scale: [3 * i, 3 * i + 3] for i, scale in enumerate(finished)},
        "all": [15],
    }
    assert len(met.scales_loss) == len(met.losses) == 61


def test_synthesis_can_stop_and_go_on_before_all_scales_were_seen() -> None:
    met = ss.MetamerCTF(texture(), portilla_simoncelli(), loss_function=l2_norm)
    met.synthesize(store_progress=True, max_iter=10)
    assert met.scales[0] == "pixel_statistics"
    assert met.scales_finished == ()
    assert met.scales_timing["pixel_statistics"] == [0]
    met.synthesize(store_progress=True, max_iter=50, ctf_iters_to_check=10)
    assert met.scales_finished[0] == "pixel_statistics"


class PortillaSimoncelliRemove(ss.PortillaSimoncelli):
    """The tutorial's model without some of the statistics, which it sets to zero."""

    def __init__(self, im_shape: tuple[int, int], remove_keys: Sequence[str]) -> None:
        super().__init__(im_shape, n_scales=3, n_orientations=4, spatial_corr_width=7)
        self.remove_keys = remove_keys

    def forward(self, image: Tensor, scales: Sequence[int | str] | None = None) -> Tensor:
        stats_vec = super().forward(image)
        stats_dict = self.convert_to_dict(stats_vec)
        for kk in self.remove_keys:
            # zero, not gone: so it is still known which statistic belongs to which scale
            if isinstance(stats_dict[kk], OrderedDict):
                for key in stats_dict[kk]:
                    stats_dict[kk][key] *= 0
            else:
                stats_dict[kk] *= 0
        stats_vec = self.convert_to_tensor(stats_dict)
        if scales is not None:
            stats_vec = self.remove_scales(stats_vec, scales)
        return stats_vec


def test_a_model_that_removes_statistics_keeps_its_shape_and_scales() -> None:
    keys = GROUPS["marginal"]
    model = PortillaSimoncelliRemove(SIZE, keys)
    whole = portilla_simoncelli()
    assert model(texture()).shape == whole(texture()).shape
    assert model(texture(), scales=[1]).shape == whole(texture(), scales=[1]).shape
    built_in = ss.PortillaSimoncelli(SIZE, n_scales=3, leave_out=keys)
    torch.testing.assert_close(model(texture()), built_in(texture()))


@cache
def without(group: str) -> ss.MetamerCTF:
    return run_synthesis(texture(), PortillaSimoncelliRemove(SIZE, GROUPS[group]))


@pytest.mark.long
def test_without_marginal_statistics_the_histogram_is_lost() -> None:
    kept = histograms_apart(full().metamer, texture())
    assert histograms_apart(without("marginal").metamer, texture()) > 1.5 * kept


@pytest.mark.parametrize(
    "group",
    [
        "marginal",
        pytest.param("auto-correlation", marks=pytest.mark.slow),
        pytest.param("magnitude", marks=pytest.mark.slow),
        pytest.param("phase", marks=pytest.mark.slow),
    ],
)
def test_what_is_removed_is_not_met(group: str) -> None:
    keys = GROUPS[group]
    assert error_in(keys, without(group).metamer) > 5 * error_in(keys, full().metamer)


class PortillaSimoncelliMask(ss.PortillaSimoncelli):
    """The tutorial's model that sees the target where the mask is true."""

    def __init__(self, im_shape: tuple[int, int], mask: Tensor, target: Tensor) -> None:
        super().__init__(im_shape, n_scales=3, n_orientations=4, spatial_corr_width=7)
        self.mask = mask
        self.target = target

    def forward(self, image: Tensor, scales: Sequence[int | str] | None = None) -> Tensor:
        if self.mask is not None and self.target is not None:
            image = self.texture_masked_image(image)
        return super().forward(image, scales=scales)

    def texture_masked_image(self, image: Tensor) -> Tensor:
        return self.target * self.mask + image * (~self.mask)


def test_a_texture_is_extended_beyond_its_borders() -> None:
    img = texture()
    mask = torch.zeros(1, 1, *SIZE).bool()
    mask[..., 16:48, 16:48] = True
    model = PortillaSimoncelliMask(SIZE, target=img, mask=mask)
    met = ss.MetamerCTF(
        img,
        model,
        loss_function=l2_norm,
        initial_image=noise(img),
        coarse_to_fine="together",
    )
    optimizer = torch.optim.Adam([met.metamer], lr=0.02, amsgrad=True)
    met.synthesize(
        optimizer=optimizer,
        max_iter=50,
        store_progress=True,
        change_scale_criterion=None,
        ctf_iters_to_check=3,
    )
    shown = model.texture_masked_image(met.metamer)
    assert torch.equal(shown[mask], img[mask])
    assert not torch.equal(shown[~mask], img[~mask])
    before = model.texture_masked_image(met.saved_metamer[0])
    whole = portilla_simoncelli()
    goal = whole(img)
    assert (whole(shown) - goal).norm() < 0.4 * (whole(before) - goal).norm()
    # Pixels that the model does not see are not moved.
    torch.testing.assert_close(met.metamer[mask], met.saved_metamer[0][mask], rtol=0, atol=1e-6)
    built_in = ss.PortillaSimoncelli(SIZE, n_scales=3, target=img, mask=mask)
    torch.testing.assert_close(model(before), built_in(before))


class PortillaSimoncelliMixture(ss.PortillaSimoncelli):
    """The tutorial's model that averages the statistics of two images."""

    def forward(self, images: Tensor, scales: Sequence[int | str] | None = None) -> Tensor:
        if images.shape[0] == 2:
            stats0 = super().forward(images[:1], scales=scales)
            stats1 = super().forward(images[1:2], scales=scales)
            return (stats0 + stats1) / 2
        return super().forward(images, scales=scales)


@pytest.mark.long
def test_a_mixture_of_two_textures_needs_no_metamer_of_its_own() -> None:
    imgs = torch.cat([texture("gravel"), texture("grass")])
    model = PortillaSimoncelliMixture(SIZE, n_scales=3)
    met = run_synthesis(imgs, model)
    assert met.metamer.shape == (1, 1, *SIZE)
    stats = model(imgs[:1]), model(imgs[1:]), model(met.metamer)
    to_one, to_other = ((stats[2] - goal).norm() for goal in stats[:2])
    to_mean = (stats[2] - (stats[0] + stats[1]) / 2).norm()
    assert to_mean < 0.25 * min(to_one, to_other)


def test_mixtures_built_in_or_given_as_a_target_are_the_same() -> None:
    imgs = torch.cat([texture("gravel"), texture("grass")])
    start = noise(imgs)
    runs = [
        ss.Metamer(
            imgs, ss.PortillaSimoncelli(SIZE, n_scales=3, mixture=[1, 1]), initial_image=start
        ),
        ss.Metamer(
            None,
            portilla_simoncelli(),
            initial_image=start,
            target_representation=portilla_simoncelli()(imgs).mean(0, keepdim=True),
        ),
    ]
    for met in runs:
        met.synthesize(3)
    torch.testing.assert_close(runs[0].losses, runs[1].losses, rtol=1e-3, atol=0)


@pytest.mark.slow
def test_magnitude_means_are_met_whether_asked_for_or_not() -> None:
    model = ss.PortillaSimoncelli(SIZE, n_scales=3, magnitude_means=True)
    not_asked, asked = full(), run_synthesis(texture(), model)
    goal = model.convert_to_dict(model(texture()))["magnitude_means"]
    for met in (not_asked, asked):
        means = model.convert_to_dict(model(met.metamer))["magnitude_means"]
        assert (means - goal).norm() < 0.05 * goal.norm()
    ratio = (
        asked.quality()[0].figures["relative error"]
        / not_asked.quality()[0].figures["relative error"]
    )
    assert 0.5 < ratio < 2


def isotrigon(sign: int, seed: int) -> Tensor:
    """Return a texture of Julesz et al. (1978): the product of every 2 × 2 pixels, as ±1, is `sign`.

    Both signs have the same statistics up to the third order, and look different.
    """
    generator = torch.Generator().manual_seed(seed)
    rows, columns = (torch.randint(0, 2, (128,), generator=generator) * 2 - 1 for _ in range(2))
    places = torch.arange(128)
    pattern = rows[:, None] * columns * torch.where(places[:, None] * places % 2 == 1, sign, 1)
    return (pattern.float()[None, None] + 1) / 2


def test_the_counterexamples_of_julesz_are_told_apart() -> None:
    model = ss.PortillaSimoncelli((128, 128), n_scales=3)
    first = isotrigon(-1, 0)[0, 0] * 2 - 1
    corners = first[1:, 1:] * first[1:, :-1] * first[:-1, 1:] * first[:-1, :-1]
    assert bool((corners == -1).all())
    even, odd = (
        torch.cat([model(isotrigon(sign, seed)) for seed in range(8)])[:, 0] for sign in (1, -1)
    )
    known_even, known_odd = even[:4].mean(0), odd[:4].mean(0)
    for new_even, new_odd in zip(even[4:], odd[4:], strict=True):
        assert (new_even - known_even).norm() < (new_even - known_odd).norm()
        assert (new_odd - known_odd).norm() < (new_odd - known_even).norm()
