"""Every image that comes in passes one gate: what cannot be one is refused, what is kept is a copy."""

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import vmap

from stimsynth import (
    Eigendistortion,
    Gaussian,
    Geodesic,
    MADCompetition,
    Metamer,
    MetamerCTF,
    OptimizedImage,
    SimpleMetamer,
    images,
    linear_metamer,
    losses,
    mad_set,
    metrics,
    remove_grad,
    transforms,
)
from stimsynth.engine.lbfgs import LBFGS
from stimsynth.methods.base.resumable_run import ResumableRun
from stimsynth.models import (
    Balanced,
    CenterSurround,
    ColorPortillaSimoncelli,
    FoveatedPooling,
    Identity,
    Linear,
    LinearNonlinear,
    LuminanceContrastGainControl,
    LuminanceGainControl,
    OnOff,
    PortillaSimoncelli,
    UniformPooling,
    balanced_by_sensitivity,
    balanced_by_target,
    balanced_over_images,
    features,
)
from stimsynth.models.texture.color import decorrelating_basis
from stimsynth.profiling import profile
from stimsynth.validate.images import kept_image, validate_input
from stimuli_store.errors import InputError

IMAGE, OTHER = (images.load(name, size=32) for name in ("camera", "grass"))
INF = math.inf


def blur() -> nn.Module:
    return remove_grad(Gaussian(5, std=1.0))


class Halves(nn.Module):
    """A model with two scales, each half of the pixels."""

    scales = ("left", "right")

    def forward(self, x: Tensor, scales: Any = None) -> Tensor:
        return x if scales is None else x[..., :16]


def root(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).abs().mean()


# -- what is kept ----------------------------------------------------------------------------------

Kept = tuple[Callable[[Any], Any], Callable[[Any], Any]]

#: Argument to the object that takes it, and to what the object keeps of it.
TAKERS: dict[str, Kept] = {
    "Metamer, image": (lambda x: Metamer(x, blur()), lambda m: m.image),
    "Metamer, initial_image": (
        lambda x: Metamer(OTHER, blur(), initial_image=x),
        lambda m: m.metamer,
    ),
    "Metamer, initial_image alone": (
        lambda x: Metamer(
            None, blur(), initial_image=x, target_representation=torch.ones(1, 1, 32, 32)
        ),
        lambda m: m.metamer,
    ),
    "SimpleMetamer, image": (lambda x: SimpleMetamer(x, blur()), lambda m: m.image),
    "MetamerCTF, image": (lambda x: MetamerCTF(x, Halves()), lambda m: m.image),
    "MetamerCTF, initial_image": (
        lambda x: MetamerCTF(OTHER, Halves(), initial_image=x),
        lambda m: m.metamer,
    ),
    "MADCompetition, image": (
        lambda x: MADCompetition(x, metrics.mse, root, "max"),
        lambda m: m.image,
    ),
    "MADCompetition, initial_image": (
        lambda x: MADCompetition(OTHER, metrics.mse, root, "max", initial_image=x),
        lambda m: m.mad_image,
    ),
    "mad_set, image": (
        lambda x: mad_set(x, metrics.mse, root, [0.1], max_iter=0),
        lambda levels: levels[0].initial_image,
    ),
    "Eigendistortion, image": (lambda x: Eigendistortion(x, blur()), lambda e: e.image),
    "Geodesic, image_a": (lambda x: Geodesic(x, OTHER, blur()), lambda g: g.image_a),
    "Geodesic, image_b": (lambda x: Geodesic(OTHER, x, blur()), lambda g: g.image_b),
    "OptimizedImage, initial_image": (
        lambda x: OptimizedImage(x, torch.std),
        lambda o: o.image,
    ),
    "a run's start": (
        lambda x: ResumableRun(x, default=LBFGS()),
        lambda r: torch.cat([r.start.detach(), r.origin]).mean(0, keepdim=True),
    ),
    "target_representation": (
        lambda x: Metamer(None, nn.Identity(), initial_image=OTHER, target_representation=x),
        lambda m: m.target_representation,
    ),
    "a texture's target": (
        lambda x: PortillaSimoncelli(
            (32, 32), n_scales=2, mask=torch.ones(1, 1, 32, 32).bool(), target=x
        ),
        lambda model: model.target,
    ),
    "balanced_by_target": (lambda x: balanced_by_target(Identity(), x), lambda b: b.scale),
    "balanced_by_sensitivity": (
        lambda x: balanced_by_sensitivity(Identity(), x),
        lambda b: b.scale,
    ),
    "balanced_over_images": (
        lambda x: balanced_over_images(Identity(), torch.cat([x, OTHER])),
        lambda b: 2 * b.shift - OTHER,
    ),
    "Balanced, shift": (
        lambda x: Balanced(Identity(), x, torch.ones(1, 1, 32, 32)),
        lambda b: b.shift,
    ),
    "linear_metamer, target": (
        lambda x: linear_metamer(torch.eye(32), x),
        lambda found: found,
    ),
    "linear_metamer, start": (
        lambda x: linear_metamer(torch.zeros(1, 32), OTHER, x),
        lambda found: found,
    ),
}

FAULTS: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "text": (lambda _: "camera.png", "a torch tensor"),
    "whole numbers": (lambda x: (x * 255).int(), "floating-point"),
    "NaN": (lambda x: x.where(x > x.min(), torch.nan), "NaN or infinite"),
    "infinite": (lambda x: x.where(x > x.min(), INF), "NaN or infinite"),
    "nothing": (lambda x: x[..., :0], "empty"),
    "meta": (lambda x: x.to("meta"), "meta"),
    "sparse": (lambda x: x.to_sparse(), "sparse"),
    "nested": (lambda x: torch.nested.nested_tensor([x[0], x[0]], layout=torch.jagged), "nested"),
    "for storage": (lambda x: x.to(torch.float8_e4m3fn), "is for storage"),
    "objects": (lambda x: x.numpy().astype(object), "not a ndarray of object"),
    "complex": (lambda x: x + 0.5j, "real"),
    "no batch": (lambda x: x[0], "shape"),
    "in [0, 255]": (lambda x: 255 * x, "allowed range"),
    "a little below": (lambda x: x - x.min() - 1e-6, "allowed range"),
}
ANY_VALUES = {"in [0, 255]", "a little below"}
#: What an argument takes though others do not.
TAKEN = {
    "Eigendistortion, image": ANY_VALUES,
    "a texture's target": ANY_VALUES,
    "balanced_by_sensitivity": ANY_VALUES,
    "a run's start": {*ANY_VALUES, "no batch"},
    "linear_metamer, target": {*ANY_VALUES, "no batch"},
    "linear_metamer, start": {*ANY_VALUES, "no batch"},
    "target_representation": {*ANY_VALUES, "complex"},
    "balanced_by_target": {*ANY_VALUES, "complex"},
}
REFUSALS = [
    (taker, fault)
    for taker in TAKERS
    for fault in FAULTS
    if taker not in ("Balanced, shift", "balanced_over_images")
    and fault not in TAKEN.get(taker, ())
]


@pytest.mark.parametrize(("taker", "fault"), REFUSALS)
def test_what_cannot_be_an_image_is_refused_by_all_alike(taker: str, fault: str) -> None:
    make, sentence = FAULTS[fault]
    with pytest.raises(InputError, match=sentence):
        TAKERS[taker][0](make(IMAGE))


EXCHANGED: dict[str, Callable[[], Any]] = {
    "Metamer": lambda: Metamer(blur(), IMAGE),
    "SimpleMetamer": lambda: SimpleMetamer(blur(), IMAGE),
    "MetamerCTF": lambda: MetamerCTF(Halves(), IMAGE),
    "Eigendistortion": lambda: Eigendistortion(blur(), IMAGE),
    "Geodesic": lambda: Geodesic(blur(), IMAGE, OTHER),
    "Geodesic, second": lambda: Geodesic(IMAGE, blur(), OTHER),
    "MADCompetition": lambda: MADCompetition(metrics.mse, IMAGE, root, "max"),
    "mad_set": lambda: mad_set(metrics.mse, IMAGE, root, [0.1]),
    "OptimizedImage": lambda: OptimizedImage(torch.std, IMAGE),
}


@pytest.mark.parametrize("name", EXCHANGED)
def test_an_exchange_of_image_and_model_is_called_one(name: str) -> None:
    with pytest.raises(InputError, match="arguments are exchanged; the image comes first, then"):
        EXCHANGED[name]()


@pytest.mark.parametrize(
    "take", [profile, balanced_by_target, balanced_by_sensitivity, balanced_over_images]
)
def test_an_exchange_where_the_model_comes_first_is_called_one(take: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="arguments are exchanged; the model comes first, then"):
        take(IMAGE, blur())


@pytest.mark.parametrize("taker", TAKERS)
def test_what_is_kept_is_not_the_callers_memory(taker: str) -> None:
    make, kept = TAKERS[taker]
    mine = IMAGE.clone()
    made = make(mine)
    before = kept(made).detach().clone()
    mine.copy_(IMAGE.flip(-1))
    assert torch.equal(kept(made).detach(), before)
    with torch.no_grad():
        kept(made).zero_()
    assert torch.equal(mine, IMAGE.flip(-1))


@pytest.mark.parametrize("taker", [name for name in TAKERS if "balanced" not in name.lower()])
def test_an_array_is_copied_as_well(taker: str) -> None:
    make, kept = TAKERS[taker]
    mine = IMAGE.numpy().copy()
    made = make(mine)
    before = kept(made).detach().clone()
    mine[:] = 0.5
    assert torch.equal(kept(made).detach(), before)


@pytest.mark.parametrize(
    "taker", [name for name in TAKERS if "balanced" not in name.lower() and "mad_set" not in name]
)
def test_an_array_may_be_reversed_or_of_another_byte_order(taker: str) -> None:
    """As OpenCV users flip the colours, and as files of other machines are read."""
    make, kept = TAKERS[taker]
    whole = IMAGE.numpy().astype(">f4")[..., ::-1]
    assert torch.equal(kept(make(whole)), kept(make(IMAGE.flip(-1))))


@pytest.mark.parametrize(
    "taker", [name for name in TAKERS if "balanced" not in name.lower() and "mad_set" not in name]
)
def test_an_array_with_masked_values_is_refused(taker: str) -> None:
    make, _ = TAKERS[taker]
    with pytest.raises(InputError, match=r"must have a value in every pixel.*image.filled"):
        make(np.ma.masked_less(IMAGE.numpy(), 0.4))


@pytest.mark.parametrize("optimizer", [None, torch.optim.Adam])
def test_a_run_leaves_the_callers_images_as_they_are(optimizer: Any) -> None:
    target, start = IMAGE.clone(), OTHER.clone()
    Metamer(target, blur(), initial_image=start).synthesize(3, optimizer)
    best = OptimizedImage(start, torch.std)
    best.synthesize(3, optimizer)
    assert torch.equal(target, IMAGE)
    assert torch.equal(start, OTHER)
    assert not start.requires_grad


def test_a_saved_run_loads_though_the_script_used_its_tensor_again(tmp_path: Any) -> None:
    mine = IMAGE.clone()
    metamer = Metamer(mine, blur())
    metamer.synthesize(2)
    mine.copy_(OTHER)
    metamer.save(tmp_path / "metamer.h5")
    again = Metamer(IMAGE, blur())
    again.load(tmp_path / "metamer.h5")
    assert torch.equal(again.metamer, metamer.metamer)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_the_ends_of_a_range_belong_to_it_in_every_precision(dtype: torch.dtype) -> None:
    """0.3 is more than its next number in single precision, and in half precision less."""
    for high in (0.3, 0.7, 0.1):
        image = IMAGE.to(dtype).clamp(0, high)
        validate_input(image, allowed_range=(0, high))
        assert kept_image(image, bounds=(-high, high)).max() == image.max()
        with pytest.raises(InputError, match="allowed range"):
            validate_input(image, allowed_range=(0, 0.99 * high))


def test_a_start_is_judged_in_the_precision_in_which_it_is_kept() -> None:
    double = IMAGE.double() * (1 + 1e-12) / IMAGE.max()  # a last place above 1
    assert Metamer(OTHER, blur(), initial_image=double).metamer.max() == 1
    with pytest.raises(InputError, match="allowed range"):
        Metamer(OTHER.double(), nn.Identity(), initial_image=double)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: Metamer(IMAGE, blur()).objective_function(x),
        lambda x: Metamer(IMAGE, blur()).objective_function(IMAGE, x),
        lambda x: MADCompetition(IMAGE, metrics.mse, root, "max").objective_function(x),
        lambda x: MADCompetition(IMAGE, metrics.mse, root, "max").objective_function(IMAGE, x),
        lambda x: OptimizedImage(IMAGE, torch.std).objective_function(x),
        lambda x: Geodesic(IMAGE, OTHER, blur()).objective_function(x),
        lambda x: Geodesic(IMAGE, OTHER, blur()).calculate_jerkiness(x),
    ],
)
@pytest.mark.parametrize(
    "given", ["image", IMAGE.numpy(), IMAGE.int(), IMAGE[0], IMAGE[..., :16], IMAGE[..., :0]]
)
def test_what_is_only_measured_is_of_the_right_kind_too(
    call: Callable[[Any], object], given: Any
) -> None:
    with pytest.raises(InputError):
        call(given)


# -- models ----------------------------------------------------------------------------------------

NETWORK = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(1800, 5))
COLOUR = torch.cat([IMAGE, OTHER, IMAGE.flip(-1)], dim=1)
MODELS: dict[str, Callable[[], nn.Module]] = {
    "Gaussian": lambda: Gaussian(5),
    "CenterSurround": lambda: CenterSurround(5),
    "Identity": Identity,
    "Linear": Linear,
    "LinearNonlinear": lambda: LinearNonlinear(5),
    "LuminanceGainControl": lambda: LuminanceGainControl(5),
    "LuminanceContrastGainControl": lambda: LuminanceContrastGainControl(5),
    "OnOff": lambda: OnOff(5),
    "UniformPooling": lambda: UniformPooling(8.0, n_scales=2),
    "FoveatedPooling": lambda: FoveatedPooling(ppd=16, scaling=0.8),
    "PortillaSimoncelli": lambda: PortillaSimoncelli((32, 32), 2, 2, 3),
    "ColorPortillaSimoncelli": lambda: ColorPortillaSimoncelli((32, 32), 2, 2, 3),
    "features, a map": lambda: features(NETWORK, "0"),
    "features, a vector": lambda: features(NETWORK, "2"),
    "NLP": lambda: nn.Sequential(nn.UpsamplingNearest2d(scale_factor=2), metrics.NLP()),
    "Balanced": lambda: balanced_by_target(PortillaSimoncelli((32, 32), 2, 2, 3), IMAGE),
}
NO_IMAGES: dict[str, Callable[[Tensor], Any]] = {
    "an array": lambda x: x.numpy(),
    "a list": lambda x: x.tolist(),
    "whole numbers": lambda x: (255 * x.real).int(),
    "complex": lambda x: x + 1j,
    "nothing": lambda x: x[:, :, :0],
    "one plane": lambda x: x[0, 0],
    "five dimensions": lambda x: x[None],
}


def image_for(name: str) -> Tensor:
    return COLOUR if name.startswith("Color") else IMAGE


@pytest.mark.parametrize("fault", NO_IMAGES)
@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("Identity", "NLP")])
def test_models_say_which_images_they_take(name: str, fault: str) -> None:
    with pytest.raises(InputError, match="takes"):
        MODELS[name]()(NO_IMAGES[fault](image_for(name)))


def test_colours_are_seen_channel_by_channel() -> None:
    for name in ("FoveatedPooling", "PortillaSimoncelli"):
        model = remove_grad(MODELS[name]())
        each = torch.cat([model(channel) for channel in COLOUR.split(1, dim=1)], dim=1)
        torch.testing.assert_close(model(COLOUR), each, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_models_take_one_image_without_a_batch_as_layers_of_torch_do(name: str) -> None:
    model, image = remove_grad(MODELS[name]()).eval(), image_for(name)
    if name == "NLP":  # whose layer before it does not
        model, image = metrics.NLP(), model[0](image)
    alone, batch = model(image[0]), model(torch.cat([image, image.flip(-1)]))
    assert alone.shape == batch.shape[1:]
    torch.testing.assert_close(alone, model(image)[0], rtol=0, atol=0)
    torch.testing.assert_close(alone, batch[0], rtol=1e-4, atol=1e-5)
    mapped = vmap(model)(torch.cat([image, image.flip(-1)]))
    torch.testing.assert_close(mapped, batch, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["PortillaSimoncelli", "ColorPortillaSimoncelli"])
@pytest.mark.parametrize("size", [(64, 64), (32, 64), (16, 16)])
def test_statistics_of_another_size_are_refused(name: str, size: tuple[int, int]) -> None:
    channels = image_for(name).shape[1]
    with pytest.raises(InputError, match=r"of shape \(batch, \w+, 32, 32\); not"):
        MODELS[name]()(torch.rand(1, channels, *size))


@pytest.mark.parametrize("name", [*list(MODELS)[:2], *list(MODELS)[3:9], "ColorPortillaSimoncelli"])
def test_the_number_of_channels_is_said(name: str) -> None:
    wrong = IMAGE if name.startswith("Color") else COLOUR
    with pytest.raises(InputError, match=r"takes images of shape \(batch, [13], "):
        MODELS[name]()(wrong)


@pytest.mark.parametrize("name", ["Gaussian", "UniformPooling", "FoveatedPooling", "OnOff"])
def test_half_precision_is_refused_where_it_has_no_fourier_transforms(name: str) -> None:
    with pytest.raises(InputError, match=r"Fourier transforms, .* torch.float16; use float32"):
        MODELS[name]().half()(IMAGE.half())


# -- metrics ---------------------------------------------------------------------------------------

METRICS: dict[str, Callable[[Any, Any], Tensor]] = {
    "mse": metrics.mse,
    "ssim": metrics.ssim,
    "ms_ssim": lambda x, y: metrics.ms_ssim(x, y, [0.5, 0.5]),
    "ssim_map": metrics.ssim_map,
    "nlpd": metrics.nlpd,
    "model_distance": metrics.model_distance(blur()),
}


@pytest.mark.parametrize("fault", NO_IMAGES)
@pytest.mark.parametrize("name", METRICS)
def test_metrics_say_which_images_they_take(name: str, fault: str) -> None:
    large = IMAGE.repeat(1, 1, 2, 2)
    bad = NO_IMAGES[fault](large)
    for pair in ((bad, large), (large, bad)):
        with pytest.raises(InputError, match="takes"):
            METRICS[name](*pair)


# -- transforms ------------------------------------------------------------------------------------

PYRAMID = transforms.SteerablePyramidFreq((32, 32), height=2)
LAPLACE = transforms.LaplacianPyramid(3)
Z = torch.complex(IMAGE, OTHER)
PLANES = {"one plane", "five dimensions"}  # what a transform of (…, height, width) takes
REALS, NUMBERS = {"complex"}, {"complex", "whole numbers"}
NORM, DIRECTION = transforms.local_gain_control(IMAGE)

#: A transform, an input that it takes, and what it takes of the rest.
TRANSFORMS: dict[str, tuple[Callable[[Any], Any], Tensor, set[str]]] = {
    "SteerablePyramidFreq": (PYRAMID, IMAGE, set()),
    "recon_pyr": (
        lambda x: PYRAMID.recon_pyr({**PYRAMID(IMAGE), "residual_lowpass": x}),
        PYRAMID(IMAGE)["residual_lowpass"],
        {"complex"},
    ),
    "recon_pyr, bands": (
        lambda x: PYRAMID.recon_pyr({**PYRAMID(IMAGE), 0: x}),
        PYRAMID(IMAGE)[0],
        {"complex"},
    ),
    "steer_coeffs": (lambda x: PYRAMID.steer_coeffs({0: x}, [0.3]), PYRAMID(IMAGE)[0], REALS),
    "split_orientations": (
        lambda x: transforms.split_orientations({0: x}),
        PYRAMID(IMAGE)[0],
        {"complex", "five dimensions"},
    ),
    "convert_tensor_to_pyr": (
        lambda x: PYRAMID.convert_tensor_to_pyr(x, 1, False, ["residual_highpass"]),
        IMAGE,
        REALS,
    ),
    "LaplacianPyramid": (LAPLACE, IMAGE, set()),
    "LaplacianPyramid of one scale": (transforms.LaplacianPyramid(1), IMAGE, set()),
    "LaplacianPyramid.recon_pyr": (
        lambda x: LAPLACE.recon_pyr([x, *LAPLACE(IMAGE)[1:]]),
        IMAGE,
        set(),
    ),
    "expand": (lambda x: transforms.expand(x, 2), IMAGE, PLANES | REALS),
    "shrink": (lambda x: transforms.shrink(x, 2), IMAGE, PLANES | REALS),
    "autocorrelation": (transforms.autocorrelation, IMAGE, PLANES | REALS),
    "blur_downsample": (transforms.blur_downsample, IMAGE, REALS),
    "upsample_blur": (lambda x: transforms.upsample_blur(x, (0, 0)), IMAGE, REALS),
    "correlate_downsample": (
        lambda x: transforms.correlate_downsample(x, torch.ones(3, 3)),
        IMAGE,
        set(),
    ),
    "upsample_convolve": (
        lambda x: transforms.upsample_convolve(x, (0, 0), torch.ones(3, 3)),
        IMAGE,
        set(),
    ),
    "local_gain_control": (transforms.local_gain_control, IMAGE, REALS | {"five dimensions"}),
    "local_gain_release": (lambda x: transforms.local_gain_release(NORM, x), DIRECTION, REALS),
    "rectangular_to_polar": (transforms.rectangular_to_polar, Z, PLANES | REALS),
    "modulate_phase": (transforms.modulate_phase, Z, PLANES | REALS),
    "polar_to_rectangular": (
        lambda x: transforms.polar_to_rectangular(x, OTHER),
        IMAGE,
        PLANES,
    ),
    "same_padding": (lambda x: transforms.same_padding(x, 3), IMAGE, PLANES | REALS),
    "center_crop": (lambda x: transforms.center_crop(x, 8), IMAGE, PLANES | NUMBERS),
    "rescale": (transforms.rescale, IMAGE, PLANES | {"whole numbers"}),
    "maximum": (transforms.maximum, IMAGE, PLANES | {"whole numbers"}),
    "minimum": (transforms.minimum, IMAGE, PLANES | {"whole numbers"}),
    "variance": (transforms.variance, IMAGE, PLANES),
    "skew": (transforms.skew, IMAGE, PLANES),
    "kurtosis": (transforms.kurtosis, IMAGE, PLANES),
    "add_noise": (lambda x: transforms.add_noise(x, 0.1), IMAGE, set()),
    "interpolate1d": (
        lambda x: transforms.interpolate1d(x, [0.0, 1.0], [0.0, 1.0]),  # type: ignore[arg-type]
        IMAGE,
        PLANES | {"whole numbers"},
    ),
    "make_straight_line": (lambda x: transforms.make_straight_line(x, OTHER, 3), IMAGE, set()),
    "sample_brownian_bridge": (
        lambda x: transforms.sample_brownian_bridge(OTHER, x, 3),
        IMAGE,
        set(),
    ),
    "translation_sequence": (transforms.translation_sequence, IMAGE, NUMBERS | {"five dimensions"}),
    "deviation_from_line": (
        transforms.deviation_from_line,
        torch.cat([IMAGE, OTHER]),
        PLANES,  # frames may have any shape
    ),
    "steer": (lambda x: transforms.steer(x, 0.3), IMAGE[..., :3], PLANES | REALS),
    "window_averages": (
        transforms.window_averages(
            transforms.LogPolar(image_shape=(32, 32), ppd=16, scaling=0.8)
        ).means,
        IMAGE,
        PLANES,
    ),
    "decorrelating_basis": (decorrelating_basis, COLOUR, set()),
    **{
        f"losses.{loss.__name__}": (lambda x, loss=loss: loss(x, OTHER), IMAGE, PLANES | REALS)
        for loss in (losses.mse, losses.l2_norm, losses.relative_sse, losses.channel_logsumexp())
    },
    "penalize_range": (losses.penalize_range, IMAGE, PLANES),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_say_what_they_take(name: str) -> None:
    transform, good, taken = TRANSFORMS[name]
    transform(good)
    for fault, make in NO_IMAGES.items():
        if fault in taken:
            continue
        bad = make(good)
        with pytest.raises(
            InputError, match=r"takes|both ends|must be of one type|for a direction"
        ):
            transform(bad)


@pytest.mark.parametrize("name", ["SteerablePyramidFreq", "expand", "shrink", "autocorrelation"])
def test_transforms_by_fourier_refuse_half_precision(name: str) -> None:
    transform, good, _ = TRANSFORMS[name]
    with pytest.raises(InputError, match="Fourier transforms"):
        transform(good.half())


@pytest.mark.parametrize("dtype", [torch.half, torch.bfloat16])
@pytest.mark.parametrize(
    "name", [name for name, (_, good, _) in TRANSFORMS.items() if not good.is_complex()]
)
def test_half_precision_works_or_gets_one_sentence(name: str, dtype: torch.dtype) -> None:
    transform, good, _ = TRANSFORMS[name]
    with suppress(InputError):
        transform(good.to(dtype))


def test_bands_that_do_not_fit_a_pyramid_are_refused() -> None:
    good = PYRAMID(IMAGE)
    for wrong in (good[1], good[0][:, :, :2], good[0][..., 1:]):
        for call in (PYRAMID.recon_pyr, lambda x: PYRAMID.steer_coeffs(x, [0.1])):
            with pytest.raises(InputError, match=r"takes coefficients of 0 of shape .*4, 32, 32"):
                call({**good, 0: wrong})
    with pytest.raises(InputError, match=r"takes images of shape \(batch, channel, 16, 16\)"):
        LAPLACE.recon_pyr([IMAGE, IMAGE, IMAGE])


def test_numbers_of_steps_are_whole() -> None:
    for steps in (0, 2.5, "3"):
        with pytest.raises(InputError, match="whole number"):
            transforms.make_straight_line(IMAGE, OTHER, steps)  # type: ignore[arg-type]
    assert len(transforms.make_straight_line(IMAGE, OTHER, np.int64(3))) == 4  # type: ignore[arg-type]
