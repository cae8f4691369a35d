"""Models: equal to the plain formulas, pure, differentiable everywhere, and clear about bad input."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stimsynth.banks.model_identity import weights_sha256
from stimsynth.banks.models import make_model
from stimsynth.images import load
from stimsynth.models import (
    MODELS,
    CenterSurround,
    ColorPortillaSimoncelli,
    FoveatedPooling,
    Gaussian,
    Identity,
    Linear,
    LinearNonlinear,
    LuminanceContrastGainControl,
    LuminanceGainControl,
    OnOff,
    PortillaSimoncelli,
    UniformPooling,
)
from stimsynth.models.network_layers import features
from stimsynth.models.pooling import band_masks, partition
from stimsynth.transforms.filters import circular_gaussian2d
from stimsynth.validate import remove_grad
from stimuli_store.errors import InputError
from tests.synth.hard_images import KINDS, hard_images

DEVICE = torch.device("cpu")


def direct(x: Tensor, kernel: Tensor, pad_mode: str) -> Tensor:
    """Slide a kernel (c, 1, h, w) over x by definition, for kernels of odd or even size."""
    rows, columns = kernel.shape[2:]
    pads = ((columns - 1) // 2, columns // 2, (rows - 1) // 2, rows // 2)
    return F.conv2d(F.pad(x, pads, mode=pad_mode), kernel)


def direct_gaussian(kernel_size: tuple[int, int], std: float) -> Tensor:
    """exp(-(x² + y²) / 2σ²), normalized, written out on the two-dimensional grid."""
    rows = torch.arange(kernel_size[0]).double() - (kernel_size[0] - 1) / 2
    columns = torch.arange(kernel_size[1]).double() - (kernel_size[1] - 1) / 2
    squared = rows[:, None] ** 2 + columns[None, :] ** 2
    kernel = torch.exp(-squared / (2 * std**2))
    return (kernel / kernel.sum())[None, None]


@pytest.fixture
def image() -> Tensor:
    return load("camera", size=64).double()


SIZES = [(7, 7), (31, 31), (5, 12), (8, 8)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pad_mode", ["reflect", "circular", "replicate", "constant"])
def test_filtering_equals_the_direct_sum(
    image: Tensor, size: tuple[int, int], pad_mode: str
) -> None:
    blur = remove_grad(Gaussian(size, 2.5, pad_mode=pad_mode).double())
    surround = CenterSurround(
        size, False, 1.5, center_std=1.2, surround_std=3.7, pad_mode=pad_mode
    ).double()
    narrow, wide = direct_gaussian(size, 1.2), direct_gaussian(size, 3.7)
    tall = image[..., :51]
    torch.testing.assert_close(blur(tall), direct(tall, direct_gaussian(size, 2.5), pad_mode))
    torch.testing.assert_close(
        surround(tall), direct(tall, -1.5 * (narrow - wide), pad_mode), atol=1e-7, rtol=1e-6
    )
    torch.testing.assert_close(blur(tall, stride=2), blur(tall)[..., ::2, ::2])


def test_kernels_are_normalized_and_circular() -> None:
    kernel = circular_gaussian2d((31, 31), torch.tensor([1.0, 3.0]).double(), out_channels=2)
    torch.testing.assert_close(kernel.sum(dim=(1, 2, 3)), torch.ones(2).double())
    torch.testing.assert_close(kernel[1:], direct_gaussian((31, 31), 3.0))


def test_luminance_gain_control_equals_its_formula(image: Tensor) -> None:
    model = remove_grad(LuminanceGainControl(31, pretrained=True, cache_filt=True).double())
    narrow, wide = direct_gaussian((31, 31), 1.962), direct_gaussian((31, 31), 4.235)
    linear = direct(image, 1.25 * (narrow - wide), "reflect")
    expected = F.softplus(linear / (1 + 14.95 * direct(image, wide, "reflect")))
    torch.testing.assert_close(model(image), expected, atol=1e-6, rtol=0)


def test_onoff_equals_its_formula_channel_by_channel(image: Tensor) -> None:
    model = remove_grad(OnOff(31, pretrained=True, cache_filt=True).double())
    parameters = [  # sign, centre, surround, luminance std and scalar, contrast std and scalar
        (1, 1.237, 30.12, 76.4, 3.2637, 7.49, 7.3405),
        (-1, 0.3233, 2.184, 2.184, 14.3961, 2.43, 16.7423),
    ]
    output = model(image)
    for channel, (sign, centre, surround, l_std, l_scalar, c_std, c_scalar) in enumerate(
        parameters
    ):
        kernel = direct_gaussian((31, 31), centre) - direct_gaussian((31, 31), surround)
        linear = direct(image, sign * 1.25 * kernel, "reflect")
        n = linear / (1 + l_scalar * direct(image, direct_gaussian((31, 31), l_std), "reflect"))
        contrast = direct(n**2, direct_gaussian((31, 31), c_std), "reflect").sqrt() + 1e-6
        expected = F.softplus(n / (1 + c_scalar * contrast))
        torch.testing.assert_close(output[:, channel : channel + 1], expected, atol=1e-5, rtol=0)


def test_contrast_gain_control_is_onoff_with_one_channel(image: Tensor) -> None:
    one, two = LuminanceContrastGainControl(15).double(), OnOff(15).double()
    state = {k: v[:1] for k, v in two.state_dict().items()}
    one.load_state_dict(state)
    torch.testing.assert_close(one(image), two(image)[:, :1])


@pytest.mark.parametrize("size", [(3, 3), (9, 9), (4, 7)])
@pytest.mark.parametrize("pad_mode", ["circular", "reflect", "replicate", "constant"])
def test_linear_is_a_gaussian_and_the_difference_to_a_narrower_one(
    image: Tensor, size: tuple[int, int], pad_mode: str
) -> None:
    model = remove_grad(Linear(size, pad_mode).double())
    low, narrow = direct_gaussian(size, 3**0.5), direct_gaussian(size, 1.0)
    expected = direct(image, torch.cat([low, narrow - low]), pad_mode)
    torch.testing.assert_close(model(image), expected, atol=1e-6, rtol=0)
    flat = Linear(size)(torch.full((1, 1, 16, 16), 0.7)).detach()
    torch.testing.assert_close(flat[:, 0], torch.full((1, 16, 16), 0.7))
    assert float(flat[:, 1].abs().max()) < 1e-6


def test_random_linear_filters_follow_their_seed_and_not_the_global_one() -> None:
    first = Linear(5, default_filters=False, seed=1)
    torch.manual_seed(0)
    again, other = (Linear(5, default_filters=False, seed=seed) for seed in (1, 2))
    torch.testing.assert_close(first.filt, again.filt, rtol=0, atol=0)
    first.requires_grad_(False)
    assert float((first.filt - other.filt.detach()).abs().min()) > 0
    assert float(first.filt.abs().max()) <= 1 / 5


def test_linear_nonlinear_equals_its_formula(image: Tensor) -> None:
    model = remove_grad(LinearNonlinear(31, pretrained=True, cache_filt=True).double())
    kernel = direct_gaussian((31, 31), 0.5339) - direct_gaussian((31, 31), 6.148)
    expected = F.softplus(direct(image, 1.25 * kernel, "reflect"))
    torch.testing.assert_close(model(image), expected, atol=1e-6, rtol=0)


def test_published_parameters_are_the_ones_users_load_by_hand() -> None:
    by_hand = LuminanceGainControl(31)
    values = {
        "luminance_scalar": 14.95,
        "luminance.std": 4.235,
        "center_surround.amplitude_ratio": 1.25,
        "center_surround.center_std": 1.962,
        "center_surround.surround_std": 4.235,
    }
    by_hand.load_state_dict({key: torch.as_tensor([value]) for key, value in values.items()})
    assert weights_sha256(by_hand) == weights_sha256(
        LuminanceGainControl(31, pretrained=True, cache_filt=True)
    )


@pytest.mark.parametrize("model", [LinearNonlinear, LuminanceGainControl, OnOff])
def test_published_parameters_need_their_kernels(model: type[torch.nn.Module]) -> None:
    with pytest.raises(InputError, match=r"kernels of \(31, 31\)"):
        model(15, pretrained=True)


def test_a_mask_keeps_the_centre_and_drops_the_corners(image: Tensor) -> None:
    plain, masked = (OnOff(15, apply_mask=m).double()(image) for m in (False, True))
    assert bool((masked[..., 0, 0] == 0).all())
    torch.testing.assert_close(masked[..., 24:40, 24:40], plain[..., 24:40, 24:40])


# -- pooling ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("spacing", [1.0, 2.5, 8.0, 10.7, 16.0])
@pytest.mark.parametrize("length", [16, 33, 64])
def test_windows_add_up_to_one_everywhere(length: int, spacing: float) -> None:
    weights = partition(length, spacing, torch.float64)
    torch.testing.assert_close(weights.sum(dim=0), torch.ones(length).double())
    assert bool((weights >= 0).all())
    assert bool((weights.sum(dim=1) > 0).all())


@pytest.mark.parametrize("length", [192, 256])
def test_windows_stand_exactly_their_spacing_apart(length: int) -> None:
    """The centre of mass of an inner window is its centre."""
    for spacing in (6.0, 12.0, 24.0, 48.0, 60.0):
        weights = partition(length, spacing, torch.float64)
        assert len(weights) == length // spacing
        inner = weights[1:-1]
        centres = (inner * torch.arange(length)).sum(1) / inner.sum(1)
        gap = torch.full((len(inner) - 1,), spacing).double()
        torch.testing.assert_close(centres.diff(), gap, atol=0.05, rtol=0)


def test_orientations_share_the_energy_of_their_band() -> None:
    masks = band_masks((64, 64), 4, False, torch.float64, DEVICE)
    rows, columns = torch.fft.fftfreq(64).double()[:, None], torch.fft.fftfreq(64).double()
    radius = torch.hypot(rows, columns).clamp_min(1e-12)
    radial = torch.cos(torch.pi / 2 * torch.log2(radius / 0.25).clamp(-1, 1)) ** 2
    check_shared(masks, radial, torch.ones_like(radius, dtype=torch.bool))
    finest = band_masks((64, 64), 4, True, torch.float64, DEVICE)
    check_shared(finest, torch.ones_like(radial), radius >= 0.25)


def check_shared(masks: Tensor, radial: Tensor, where: Tensor) -> None:
    """Energies of a frequency and its mirror, summed over orientations, are those of the band."""
    mirrored = torch.roll(masks.flip(1, 2), (1, 1), (1, 2))
    both = (masks**2 + mirrored**2).sum(0) / 4
    torch.testing.assert_close(both[where], radial[where], atol=1e-9, rtol=0)


def test_the_finest_gratings_are_seen_alike_whatever_their_orientation() -> None:
    sign = (-1.0) ** torch.arange(64).double()
    columns, rows = sign.expand(64, 64), sign[:, None].expand(64, 64)
    model, grey = UniformPooling(window_px=64), torch.full((1, 1, 64, 64), 0.5).double()
    energies = [
        (model(0.5 + 0.25 * pattern[None, None]) ** 2 - model(grey) ** 2)[0, 0, 1:5].sum()
        for pattern in (columns, rows, columns * rows)
    ]
    torch.testing.assert_close(torch.stack(energies), energies[0].expand(3))
    # A frequency that is its own mirror passes half of the 4 times its power that two would.
    assert float(energies[0]) == pytest.approx(2 * 0.25**2, rel=1e-6)


def test_a_grating_drives_its_own_scale_and_orientation() -> None:
    columns = torch.arange(64).double()
    for scale, frequency in enumerate((1 / 4, 1 / 8, 1 / 16)):
        grating = (0.5 + 0.25 * torch.cos(2 * torch.pi * frequency * columns)).expand(1, 1, 64, 64)
        output = UniformPooling(window_px=64)(grating).flatten()
        energies = output[1:].view(3, 4)
        assert output[0].item() == pytest.approx(0.5)
        assert divmod(int(energies.argmax()), 4) == (scale, 0)
        # Amplitude a of the band at its peak: 2 · gain · a/2, with gain 8/√20/√4·… given by the masks.
        gain = band_masks((64, 64), 4, True, torch.float64, DEVICE)[0, 0, 16] / 2
        assert energies[scale, 0].item() == pytest.approx(0.25 * float(gain), rel=1e-4)


def test_pooling_sees_means_and_not_where_things_are() -> None:
    image = load("grass", size=64).double()
    model = UniformPooling(window_px=64)
    torch.testing.assert_close(model(image), model(image.roll((8, 16), (2, 3))), atol=2e-3, rtol=0)
    fine = UniformPooling(window_px=4)
    assert (fine(image) - fine(image.roll((8, 16), (2, 3)))).abs().max() > 0.05


# -- all of them -----------------------------------------------------------------------------------

FACTORIES: dict[str, Callable[[], nn.Module]] = {
    "Gaussian": lambda: Gaussian(15),
    "CenterSurround": lambda: CenterSurround(15),
    "Identity": Identity,
    "Linear": Linear,
    "Linear, random": lambda: Linear((5, 4), "reflect", default_filters=False),
    "LinearNonlinear": lambda: LinearNonlinear(31, pretrained=True, cache_filt=True),
    "LuminanceGainControl, published": lambda: LuminanceGainControl(
        31, pretrained=True, cache_filt=True
    ),
    "LuminanceContrastGainControl, published": lambda: LuminanceContrastGainControl(
        31, pretrained=True, cache_filt=True
    ),
    "LuminanceGainControl": lambda: LuminanceGainControl(15),
    "LuminanceContrastGainControl": lambda: LuminanceContrastGainControl(15),
    "OnOff": lambda: OnOff(31, pretrained=True, cache_filt=True),
    "UniformPooling": lambda: UniformPooling(8.0),
    "FoveatedPooling, luminance": lambda: foveated("luminance"),
    "FoveatedPooling, energy": lambda: foveated("energy"),
    "FoveatedPooling, texture": lambda: foveated("texture"),
    "PortillaSimoncelli": lambda: PortillaSimoncelli((32, 32), n_scales=2),
    "ColorPortillaSimoncelli": lambda: Coloured(ColorPortillaSimoncelli((32, 32), 2, 2, 3)),
    "FoveatedPooling, Gaussian windows": lambda: foveated("energy", window_type="gaussian"),
    "UniformPooling, luminance": lambda: UniformPooling(8.0, n_scales=0),
    "features": lambda: features(small_network(), "2", mean=0.5, std=0.25),
    "features of several layers": lambda: features(
        small_network(), ["0", "2"], mean=0.5, std=0.25, image_shape=(1, 32, 32)
    ),
    "features, in colour and resized": lambda: features(
        small_network(3), "2", channels=3, mean=[0.5, 0.4, 0.3], std=0.25, size=24
    ),
}


class Coloured(nn.Module):
    """A model of colour images, for grey ones: the colours are the image, shifted and mirrored."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(torch.cat([x, x.roll(1, -1), x.flip(-2)], dim=1))


def foveated(statistics: str, **rest: Any) -> FoveatedPooling:
    return FoveatedPooling(
        statistics=statistics, ppd=16, scaling=0.8, n_scales=2, spatial_corr_width=3, **rest
    )


def small_network(channels: int = 1) -> nn.Module:
    """Return a convolutional network with fixed weights."""
    network = nn.Sequential(
        nn.Conv2d(channels, 4, 3), nn.Softplus(), nn.Conv2d(4, 3, 3, stride=2), nn.Flatten()
    )
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3, generator=generator)
    return network


@pytest.mark.parametrize("name", FACTORIES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_nan_in_output_or_gradient(name: str, kind: str, dtype: torch.dtype) -> None:
    model = remove_grad(FACTORIES[name]().to(dtype))
    image = hard_images()[kind].to(dtype).requires_grad_(True)
    output = model(image)
    (gradient,) = torch.autograd.grad((output**2).sum(), image)
    assert output.dtype == dtype
    assert bool(torch.isfinite(output).all())
    assert bool(torch.isfinite(gradient).all())


@pytest.mark.parametrize("name", FACTORIES)
def test_models_are_pure_functions_that_treat_items_alone(name: str) -> None:
    model = remove_grad(FACTORIES[name]().double())
    before = weights_sha256(model)
    images = torch.cat([load(n, size=32) for n in ("camera", "grass", "coffee")]).double()
    # Without ties: the minimum of an image has no derivative where two pixels share it.
    images = images + 1e-3 * torch.rand(images.shape, generator=torch.Generator().manual_seed(1))
    together = model(images)
    alone = torch.cat([model(image[None]) for image in images])
    torch.testing.assert_close(together, alone)
    mapped = torch.func.vmap(lambda x: model(x[None])[0])(images)
    torch.testing.assert_close(mapped, alone)
    tangent = torch.randn(images.shape, generator=torch.Generator().manual_seed(0)).double()
    _, forward = torch.func.jvp(model, (images,), (tangent,))
    step = 1e-6
    difference = (model(images + step * tangent) - model(images - step * tangent)) / (2 * step)
    torch.testing.assert_close(forward, difference, atol=1e-6, rtol=1e-4)
    assert weights_sha256(model) == before


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: Gaussian(7)(torch.zeros(1, 3, 32, 32)), r"shape \(batch, 1, height, width\)"),
        (lambda: Gaussian(31)(torch.zeros(1, 1, 8, 8)), "too small for a kernel"),
        (
            lambda: Gaussian(7, pad_mode="mirror")(torch.zeros(1, 1, 32, 32)),
            "pad_mode must be one of",
        ),
        (lambda: Gaussian(7, std=-1.0), "std must be positive"),
        (lambda: CenterSurround(7, [True] * 3, out_channels=2), "on_center"),
        (
            lambda: CenterSurround(7, amplitude_ratio=0.5),
            "amplitude_ratio must be a finite number of 1",
        ),
        (
            lambda: CenterSurround(7, amplitude_ratio=torch.ones(2)),
            "amplitude_ratio must be a finite",
        ),  # type: ignore[arg-type]
        (lambda: CenterSurround(7, amplitude_ratio=[1, 2]), "amplitude_ratio must be a finite"),  # type: ignore[arg-type]
        (lambda: OnOff(7, pretrained=True), r"\(31, 31\)"),
        (lambda: UniformPooling(8)(torch.zeros(1, 1, 30, 30)), "multiples of 4"),
        (lambda: UniformPooling(0.1), "a finite number of 1 or more"),
        (lambda: UniformPooling(float("nan")), "a finite number of 1 or more"),
        (lambda: UniformPooling(33)(torch.zeros(1, 1, 32, 32)), "larger than an image"),
        (lambda: make_model("UniformPoling", {}), "did you mean 'UniformPooling'"),
        (lambda: make_model("Gaussian", {"kernel": 3}), "did you mean 'kernel_size'"),
        (lambda: make_model("Gaussian", {}), "Gaussian cannot be made"),
    ],
)
def test_bad_input_gets_a_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        call()


def test_every_named_model_can_be_made_twice_alike() -> None:
    given = {"UniformPooling": {}, "Identity": {}, "FoveatedPooling": {"ppd": 32.0}}
    given["ColorPortillaSimoncelli"] = {"image_shape": [64, 64], "n_scales": 3}
    given["PortillaSimoncelli"] = {"image_shape": [64, 64], "n_scales": 3}
    for name in MODELS:
        params = given.get(name, {"kernel_size": 31})
        assert weights_sha256(make_model(name, params)) == weights_sha256(make_model(name, params))


def test_a_cached_kernel_is_kept_and_moves_with_its_model() -> None:
    model = remove_grad(CenterSurround(7, cache_filt=True))
    assert model.filt is model.filt
    assert model.double().filt.dtype == torch.float64
    assert remove_grad(CenterSurround(7)).filt is not None


FRONT_ENDS = (LinearNonlinear, LuminanceGainControl, LuminanceContrastGainControl, OnOff)


def test_front_ends_order_their_arguments_alike() -> None:
    """Arguments common to several front ends come in one order, and each keeps plenoptic's order."""
    order = [
        "kernel_size",
        "on_center",
        "amplitude_ratio",
        "pad_mode",
        "pretrained",
        "activation",
        "apply_mask",
        "cache_filt",
    ]
    documented = [["kernel_size", "on_center", "amplitude_ratio", "pad_mode", "activation"]] * 3
    documented += [[name for name in order if name != "on_center"]]
    for model, told in zip(FRONT_ENDS, documented, strict=True):
        own = list(inspect.signature(model).parameters)
        assert own == [name for name in order if name in own]
        assert told == [name for name in own if name in told]


@pytest.mark.parametrize("model", FRONT_ENDS)
def test_nothing_is_looked_up_by_the_name_of_a_class(model: type[nn.Module], image: Tensor) -> None:
    class Mine(model):  # type: ignore[misc, valid-type]
        """A model of one's own."""

    own, theirs = (
        remove_grad(made(31, pretrained=True, cache_filt=True).double()) for made in (Mine, model)
    )
    assert torch.equal(own(image), theirs(image))
    assert repr(own.state_dict()) == repr(theirs.state_dict())


@pytest.mark.parametrize("model", FRONT_ENDS)
def test_an_activation_in_the_place_of_pretrained_is_refused(model: type[nn.Module]) -> None:
    with pytest.raises(InputError, match="pretrained must be True or False"):
        model(31, pretrained=F.relu)  # type: ignore[call-arg]


def test_a_surround_narrower_than_its_center_is_said() -> None:
    with pytest.warns(UserWarning, match=r"surround_std is \[1.0\] and center_std \[4.0\]; swap"):
        CenterSurround(31, center_std=4.0, surround_std=1.0)
    with pytest.warns(UserWarning, match="narrower than the center"):
        CenterSurround(31, center_std=torch.tensor([1.0, 5.0]), out_channels=2)
    for front_end in (OnOff(31), LuminanceGainControl(31)):
        swapped = {name: value.clone() for name, value in front_end.state_dict().items()}
        center, surround = "center_surround.center_std", "center_surround.surround_std"
        swapped[center], swapped[surround] = swapped[surround], swapped[center]
        with pytest.warns(UserWarning, match="narrower than the center"):
            front_end.load_state_dict(swapped)
