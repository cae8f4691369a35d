"""Every model that comes in passes one gate: two passes that agree, and a slope; what is wrong is said."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stimsynth import (
    Eigendistortion,
    Gaussian,
    Geodesic,
    MADCompetition,
    Metamer,
    MetamerCTF,
    OptimizedImage,
    SimpleMetamer,
    features,
    images,
    mad_set,
    metrics,
    remove_grad,
    validate_model,
)
from stimsynth.methods.eigen.fisher import fisher_info_matrix_vector_product
from stimsynth.models import balanced_by_sensitivity, balanced_by_target, balanced_over_images
from stimsynth.numerics.attention import differentiable_attention
from stimsynth.profiling import profile
from stimsynth.validate import checked_output
from stimsynth.validate.probing import ROUNDING_STEPS
from stimuli_store.errors import InputError, WrongDevice, WrongType

IMAGE, OTHER = (images.load(name, size=16) for name in ("camera", "grass"))


EPS = torch.finfo(torch.float32).eps


class Says(nn.Module):
    """A model made of a function, with two scales, that counts its forward and backward passes."""

    scales = ("whole", "part")

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.passes = self.back = 0

    def forward(self, x: Tensor, scales: Any = None) -> Any:
        if scales is not None:
            return self.function(x)[..., :2]
        self.passes += 1
        output = self.function(x)
        if isinstance(output, Tensor) and output.requires_grad:
            output.register_hook(self._count)
        return output

    def _count(self, _: Tensor) -> None:
        self.back += 1


def convolution(channels: int = 1) -> nn.Module:
    torch.manual_seed(0)
    return remove_grad(nn.Conv2d(channels, 3, 3))


def made_in_inference_mode() -> nn.Module:
    with torch.inference_mode():
        return convolution()


#: Whatever takes a model of images.
TAKERS: dict[str, Callable[[Any], object]] = {
    "Metamer": lambda model: Metamer(IMAGE, model),
    "Metamer, with a start": lambda model: Metamer(IMAGE, model, initial_image=OTHER),
    "Metamer, of a representation": lambda model: Metamer(
        None, model, initial_image=OTHER, target_representation=torch.zeros(1, 1, 16, 16)
    ),
    "SimpleMetamer": lambda model: SimpleMetamer(IMAGE, model),
    "MetamerCTF": lambda model: MetamerCTF(IMAGE, model),
    "Eigendistortion": lambda model: Eigendistortion(IMAGE, model),
    "Geodesic": lambda model: Geodesic(IMAGE, OTHER, model),
    "OptimizedImage": lambda model: OptimizedImage(IMAGE, lambda x: model(x).square().sum()),
    "balanced_by_target": lambda model: balanced_by_target(model, IMAGE),
    "balanced_by_sensitivity": lambda model: balanced_by_sensitivity(model, IMAGE),
    "balanced_over_images": lambda model: balanced_over_images(model, torch.cat([IMAGE, OTHER])),
    "profile": lambda model: profile(model, IMAGE, repeats=1),
    "checked_output": lambda model: checked_output(model, IMAGE),
    "validate_model": lambda model: validate_model(model, image_shape=(1, 1, 16, 16)),
}
MODELS = [name for name in TAKERS if name != "OptimizedImage"]

FAULTS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "random": (lambda: Says(lambda x: F.dropout(x, 0.5)), "random: two calls"),
    "random size": (
        lambda: Says(lambda x: x[..., : int(torch.randint(2, 16, ()))]),
        "random: two calls",
    ),
    "dropout in training": (lambda: Says(nn.Dropout().train()), r"random: .*eval\(\)"),
    "strips": (lambda: Says(lambda x: x.detach()), "strips the gradient"),
    "no slope": (lambda: Says(lambda x: x.round() + 0 * x), "gradient is 0|strips the gradient"),
    "precision": (lambda: Says(lambda x: x.double()), "from torch.float32 to torch.float64"),
    "numpy": (lambda: Says(lambda x: torch.from_numpy(x.numpy() * 2)), "casts its input to numpy"),
    "in place": (lambda: Says(lambda x: x.mul_(2)), "changes its input in place"),
    "device": (lambda: Says(lambda x: x.to("meta")), "on cpu and returns one on meta"),
    "channels": (
        lambda: Says(convolution(3)),
        r"takes 3 channels where it gets 1; .*image.expand\(-1, 3, -1, -1\)",
    ),
    "size": (
        lambda: Says(nn.Sequential(nn.Flatten(), remove_grad(nn.Linear(99, 2)))),
        r"does not take images of shape \(1, 1, 16, 16\)|\(2, 1, 16, 16\).*crop or resize",
    ),
    "kernel": (
        lambda: Says(remove_grad(nn.Conv2d(1, 1, 17))),
        r"does not take images of shape .*(1|2), 1, 16, 16\).*crop or resize",
    ),
}
ONLY_MODELS: dict[str, tuple[Callable[[], Any], str]] = {
    "batch norm in training": (
        lambda: nn.Sequential(convolution(), remove_grad(nn.BatchNorm2d(3))),
        r"changes its buffers .*1.running_mean, .*constant during synthesis; call model.eval\(\)",
    ),
    "NaN": (lambda: Says(lambda x: (x - 2).sqrt()), "NaN or infinite"),
    "learns": (lambda: nn.Conv2d(1, 3, 3), "remove_grad"),
    "sparse": (lambda: Says(lambda x: (2 * x).to_sparse()), r"sparse tensor; .*to_dense\(\)"),
    "without weights": (lambda: remove_grad(nn.Conv2d(1, 3, 3, device="meta")), "load its weights"),
    "inference mode": (lambda: made_in_inference_mode(), "made in torch.inference_mode"),
    "whole numbers": (
        lambda: Says(remove_grad(nn.Embedding(10, 3))),
        "fails on images of shape .*Long.*; give a module whose forward takes images",
    ),
    "tokens": (
        lambda: Says(remove_grad(nn.TransformerEncoderLayer(16, 2, dropout=0.0))),
        "fails on images of shape .*query",
    ),
    "no forward": (lambda: Says(nn.ModuleList()), "fails on images of shape .*forward"),
    "a list": (lambda: Says(lambda x: x.tolist()), "returns list"),
    "single precision for double": (
        lambda: convolution().double(),
        r"is of torch.float64 and the image of torch.float32; .*image.to\(torch.float64\)",
    ),
}
HAS_NO_SCALES = (
    "batch norm in training",
    "learns",
    "single precision for double",
    "without weights",
    "inference mode",
)
REFUSALS = [(taker, fault) for taker in TAKERS for fault in FAULTS]
REFUSALS += [
    (taker, fault)
    for taker in MODELS
    for fault in ONLY_MODELS
    if (taker, fault) != ("validate_model", "NaN")  # its test image is another
    and not (taker == "MetamerCTF" and fault in HAS_NO_SCALES)
]


@pytest.mark.parametrize(("taker", "fault"), REFUSALS)
def test_a_faulty_model_is_refused_by_all_alike(taker: str, fault: str) -> None:
    make, sentence = {**FAULTS, **ONLY_MODELS}[fault]
    with pytest.raises(InputError, match=sentence):
        TAKERS[taker](make())


def centred(x: Tensor) -> Tensor:
    """Return images from which their mean is taken, as batch normalization without statistics does."""
    return x - x.mean(0, keepdim=True) / 2


def scattered(x: Tensor) -> Tensor:
    """Return a mean over the batch whose two channels stand where the batch should."""
    return torch.cat([x, 2 * x], dim=1).mean(0)


def of_pairs(x: Tensor) -> Tensor:
    return x if len(x) == 1 else x.flip(0)


@pytest.mark.parametrize("mixing", [centred, scattered, of_pairs])
def test_a_model_that_mixes_the_images_of_a_batch_is_refused(
    mixing: Callable[[Tensor], Tensor],
) -> None:
    both, model = torch.cat([IMAGE, OTHER]), Says(mixing)
    for take in (
        partial(Metamer, both),
        partial(SimpleMetamer, both),
        partial(Geodesic, IMAGE, OTHER),
    ):
        with pytest.raises(InputError, match=r"mixes the images of a batch: .* treat each image"):
            take(model)
    with pytest.raises(InputError, match=r"mixes the images of a batch|the batch comes first"):
        Metamer(IMAGE, model, initial_image=both)


def test_rounding_may_depend_on_the_size_of_a_batch() -> None:
    model = Says(lambda x: x * (1 + 100 * EPS * (len(x) - 1)))
    assert checked_output(model, torch.cat([IMAGE, OTHER])).shape == (2, 1, 16, 16)


#: A distance of outputs in another precision or place is a number like any other.
IN_METRICS = [name for name in FAULTS if name not in ("precision", "device", "random size")]


@pytest.mark.parametrize("fault", [*IN_METRICS, "batch norm in training"])
def test_a_metric_made_of_a_faulty_model_is_refused(fault: str) -> None:
    metric = metrics.model_distance
    make, sentence = {**FAULTS, **ONLY_MODELS}[fault]
    for both in (lambda d: (d, metrics.mse), lambda d: (metrics.mse, d)):
        with pytest.raises(InputError, match=f"{sentence}|metric must be 0"):
            MADCompetition(IMAGE, *both(metric(make())), "max")
        with pytest.raises(InputError, match=f"{sentence}|metric must be 0"):
            mad_set(IMAGE, *both(metric(make())))


# -- what the gate costs, and what it leaves alone -------------------------------------------------

COSTS = {"Metamer, with a start": (3, 1), "balanced_over_images": (3, 1), "Geodesic": (3, 1)}
WORKERS = ("profile", "balanced_by_sensitivity")  # whose own work are passes


@pytest.mark.parametrize("taker", [name for name in TAKERS if name not in WORKERS])
def test_construction_takes_two_passes_and_one_back(taker: str) -> None:
    """And one more for a target besides a start, a second of a set, or one end of a path alone."""
    model = Says(lambda x: 2 * x).eval()
    TAKERS[taker](model)
    assert (model.passes, model.back) == COSTS.get(taker, (2, 1))


def test_buffers_are_as_they_were() -> None:
    normalizing = remove_grad(nn.Sequential(convolution(), nn.BatchNorm2d(3)))
    before = {name: buffer.clone() for name, buffer in normalizing.named_buffers()}
    own = dict(normalizing.named_buffers())
    for taker in (*MODELS[:3], "Eigendistortion", "Geodesic", "validate_model"):
        with pytest.raises(InputError, match="changes its buffers"):
            TAKERS[taker](normalizing)
    for name, buffer in normalizing.named_buffers():
        assert buffer is own[name]
        assert torch.equal(buffer, before[name])
    Metamer(IMAGE, normalizing.eval()).synthesize(2)
    for name, buffer in normalizing.named_buffers():
        assert torch.equal(buffer, before[name])


def learning() -> nn.Module:
    """A network in training mode, whose buffers follow its input."""
    torch.manual_seed(0)
    return remove_grad(nn.Sequential(nn.BatchNorm2d(1, affine=False), nn.Tanh()))


class Keeps:
    """An object that holds a network and uses it when it is called, or in a method."""

    def __init__(self, network: nn.Module) -> None:
        self.networks = [network]

    def __call__(self, x: Tensor) -> Tensor:
        return self.networks[0](x).square().mean()

    def measure(self, x: Tensor) -> Tensor:
        return self(x)


HIDDEN: dict[str, Callable[[nn.Module], Callable[[Tensor], Tensor]]] = {
    "a lambda": lambda network: lambda x: network(x).square().mean(),
    "a function in a function": lambda network: lambda x: HIDDEN["a lambda"](network)(x),
    "an object": Keeps,
    "a method": lambda network: Keeps(network).measure,
    "a partial": lambda network: partial(lambda n, x: n(x).square().mean(), network),
    "a part alone": lambda network: Keeps(network[0]),
}


def distance(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda x, y: (function(x) - function(y)).square() + (x - y).square().mean()


FUNCTION_TAKERS: dict[str, Callable[[Callable[[Tensor], Tensor]], object]] = {
    "OptimizedImage": lambda f: OptimizedImage(IMAGE, f),
    "OptimizedImage, held": lambda f: OptimizedImage(IMAGE, torch.var, held={"own": f}),
    "OptimizedImage, penalty": lambda f: OptimizedImage(IMAGE, torch.var, penalties=[f]),
    "Metamer, penalty": lambda f: Metamer(IMAGE, nn.Identity(), penalties=[f]),
    "Metamer, loss": lambda f: Metamer(IMAGE, remove_grad(Gaussian(5)), distance(f)),
    "MADCompetition": lambda f: MADCompetition(IMAGE, distance(f), metrics.mse, "max"),
    "MADCompetition, held": lambda f: MADCompetition(IMAGE, metrics.mse, distance(f), "max"),
    "MADCompetition, penalty": lambda f: MADCompetition(
        IMAGE, metrics.mse, distance(torch.var), "max", penalties=[f]
    ),
    "mad_set": lambda f: mad_set(IMAGE, metrics.mse, distance(f), max_iter=1),
}


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("taker", FUNCTION_TAKERS)
def test_a_network_that_learns_is_found_wherever_it_hides(taker: str, hidden: str) -> None:
    network = learning()
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    with pytest.raises(InputError, match=r"changes its buffers .*running_mean.*eval\(\)"):
        FUNCTION_TAKERS[taker](HIDDEN[hidden](network))
    for name, buffer in network.named_buffers():
        assert torch.equal(buffer, before[name])
    FUNCTION_TAKERS[taker](HIDDEN[hidden](network.eval()))


def test_a_buffer_that_grows_is_put_back() -> None:
    class Grows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.full((1,), torch.nan))

        seen: Tensor

        def forward(self, x: Tensor) -> Tensor:
            if grows:
                self.seen = torch.cat([self.seen, x.detach().mean().reshape(1)])
            return 2 * x

    grows, model = True, Grows()
    with pytest.raises(InputError, match="changes its buffers seen"):
        checked_output(model, IMAGE)
    assert model.seen.shape == (1,)
    grows = False
    checked_output(model, IMAGE)  # NaN is equal to itself here


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_last_bits_may_differ_between_two_passes(dtype: torch.dtype) -> None:
    """Sums that threads share are added in no fixed order; 256 ε of the largest value are allowed."""
    rounding = ROUNDING_STEPS * torch.finfo(dtype).eps
    calls = iter(range(100))

    def off(share: float) -> nn.Module:
        return Says(lambda x: 3 * x + 3 * x.max().detach() * share * rounding * (next(calls) % 2))

    image = IMAGE.to(dtype)
    assert checked_output(off(0.5), image).dtype == dtype
    with pytest.raises(InputError, match="differ by up to"):
        checked_output(off(2.0), image)


def test_a_model_is_called_on_copies() -> None:
    """One that writes over its input changes neither the image nor the start."""
    start = OTHER.clone()
    with pytest.raises(InputError, match="in place"):
        Metamer(IMAGE, Says(lambda x: x.relu_()), initial_image=start)
    assert torch.equal(start, OTHER)
    within = nn.Sequential(convolution(), nn.ReLU(inplace=True))
    metamer = Metamer(IMAGE, within)
    assert torch.equal(metamer.target_representation, F.relu(within[0](IMAGE)))


# -- slopes at the start ---------------------------------------------------------------------------


class Variance(nn.Module):
    """The variance of an image, with a slope of 0 where all pixels are equal."""

    def forward(self, x: Tensor) -> Tensor:
        return x.var((1, 2, 3))[:, None, None]


FLAT = torch.full_like(IMAGE, 0.5)


def test_without_a_slope_at_the_start_nothing_moves() -> None:
    with pytest.raises(InputError, match="gradient is 0 there"):
        Metamer(IMAGE, Variance(), initial_image=FLAT)
    with pytest.raises(InputError, match="gradient is 0 there"):
        Metamer(None, Variance(), initial_image=FLAT, target_representation=torch.ones(1, 1, 1))
    with pytest.raises(InputError, match="gradient is 0 there"):
        Eigendistortion(FLAT, Variance())
    with pytest.raises(InputError, match="gradient is 0 there"):
        OptimizedImage(FLAT, torch.var)
    with pytest.raises(InputError, match="gradient is 0 there"):
        Geodesic(IMAGE, OTHER, Says(lambda x: torch.relu(x - 1)))


def test_one_start_with_a_slope_is_enough() -> None:
    """Uniform targets, images of a batch and ends have no slope; a start with a slope is enough."""
    plain = Metamer(FLAT, Variance())
    plain.synthesize(30)
    assert plain.metamer.var() < 1e-2 * IMAGE.var()
    both = torch.cat([FLAT, OTHER])
    Metamer(IMAGE, Variance(), initial_image=both)
    OptimizedImage(both, torch.var)
    OptimizedImage(FLAT, torch.var, penalties={"rough": lambda x: x.diff(dim=-1).square().sum()})
    Geodesic(FLAT, FLAT + 0.1, Says(lambda x: (x - 0.6).relu()), initial_sequence="bridge")


# -- what torch says -------------------------------------------------------------------------------

LAYERS: dict[str, tuple[Callable[[Tensor], Any], Tensor, type[Exception], str]] = {
    "double for a single convolution": (
        convolution(),
        IMAGE.double(),
        WrongType,
        r"Conv2d is of torch.float32 and the image of torch.float64",
    ),
    "double for a single product": (
        nn.Sequential(nn.Flatten(), remove_grad(nn.Linear(256, 2))),
        IMAGE.double(),
        WrongType,
        r"model.to\(torch.float64\)",
    ),
    "half for a single convolution": (convolution(), IMAGE.half(), WrongType, "torch.float16"),
    "colour for grey": (
        convolution(),
        IMAGE.expand(-1, 3, -1, -1),
        InputError,
        "takes 1 channels where it gets 3; give an image with as many",
    ),
    "grey for colour, normalized": (
        remove_grad(nn.BatchNorm2d(3)).eval(),
        IMAGE,
        InputError,
        "takes 3 channels where it gets 1",
    ),
    "too small to be pooled": (
        nn.Sequential(nn.Conv2d(1, 1, 3).requires_grad_(False), nn.MaxPool2d(32)),
        IMAGE,
        InputError,
        "does not take images of shape",
    ),
    "too small to be padded": (
        nn.ReflectionPad2d(16),
        IMAGE,
        InputError,
        "does not take images of shape",
    ),
    "a fixed shape": (
        lambda x: x.view(-1, 1, 5, 5),
        IMAGE,
        InputError,
        "crop or resize them",
    ),
    "a table of another size": (
        lambda x: x * torch.ones(17),
        IMAGE,
        InputError,
        "crop or resize them",
    ),
    "layer norm": (remove_grad(nn.LayerNorm(17)), IMAGE, InputError, "crop or resize them"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_what_torch_says_of_types_channels_and_sizes_is_one_sentence(name: str) -> None:
    layer, image, kind, sentence = LAYERS[name]
    with pytest.raises(kind, match=sentence) as caught:
        checked_output(layer if isinstance(layer, nn.Module) else Says(layer), image)
    assert isinstance(caught.value, InputError)
    assert "\n" not in str(caught.value)


INSIDE: dict[str, Callable[[Tensor, Any], object]] = {
    "a metric that is pushed": lambda image, f: MADCompetition(
        image, lambda x, y: (f(x) - f(y)).square().mean(), metrics.mse, "max"
    ),
    "a metric that is held": lambda image, f: mad_set(
        image, metrics.mse, lambda x, y: (f(x) - f(y)).square().mean()
    ),
    "an objective": lambda image, f: OptimizedImage(image, lambda x: f(x).square().sum()),
    "a held score": lambda image, f: OptimizedImage(
        image, torch.var, held={"power": lambda x: f(x).square().sum()}
    ),
    "a penalty": lambda image, f: Metamer(
        image, nn.Identity(), penalties=[lambda x: f(x).square().sum()]
    ),
    "a loss": lambda image, f: Metamer(
        image, nn.Identity(), loss_function=lambda x, y: (f(x) - f(y)).square().sum()
    ),
}


@pytest.mark.parametrize("layer", [convolution(), nn.Sequential(nn.Flatten(), nn.Linear(256, 2))])
@pytest.mark.parametrize("name", INSIDE)
def test_a_function_with_a_layer_of_another_precision_inside_is_told_so(
    name: str, layer: nn.Module
) -> None:
    with pytest.raises(WrongType, match=r"mixes precisions .* is of torch.float64: convert it"):
        INSIDE[name](IMAGE.double(), remove_grad(layer))


def test_a_distance_shows_the_model_inside() -> None:
    """It is checked, moved and copied with it."""
    distance = metrics.model_distance(convolution())
    with pytest.raises(WrongType, match=r"ModelDistance is of torch.float32 and the image of"):
        MADCompetition(IMAGE.double(), distance, metrics.mse, "max")
    first, second = (MADCompetition(IMAGE, distance, metrics.mse, "max") for _ in range(2))
    first.to(torch.float64)
    for mad in (first, second):
        mad.synthesize(2)
    assert next(distance.parameters()).dtype == torch.float32


def test_other_errors_of_a_model_go_on_as_they_are() -> None:
    def broken(_: Tensor) -> Tensor:
        raise KeyError("layer7")

    with pytest.raises(KeyError, match="layer7"):
        checked_output(Says(broken), IMAGE)


# -- attention -------------------------------------------------------------------------------------


class Attention(nn.Module):
    """Attention among the patches of an image."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patches, self.qkv = nn.Conv2d(1, 16, 4, 4), nn.Linear(16, 48)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.patches(x).flatten(2).transpose(1, 2)).chunk(3, -1)
        return F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]


class Encoder(nn.Module):
    """A layer of torch's own transformer on the patches of an image."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patches = nn.Conv2d(1, 16, 4, 4)
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.layer = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(self.patches(x).flatten(2).transpose(1, 2))


def run_geodesic(model: nn.Module) -> None:
    geodesic = Geodesic(IMAGE, OTHER, model, 3)
    geodesic.synthesize(2)
    geodesic.quality()
    geodesic.calculate_jerkiness()


ATTENTIVE: dict[str, Callable[[nn.Module], object]] = {
    "Metamer": lambda model: Metamer(torch.cat([IMAGE, OTHER]), model).synthesize(2),
    "Metamer, Adam": lambda model: Metamer(IMAGE, model).synthesize(2, torch.optim.Adam),
    "on_grid": lambda model: Metamer(IMAGE, model).on_grid(rounds=1, steps=1),
    "Eigendistortion, lanczos": lambda model: Eigendistortion(IMAGE, model).synthesize(max_iter=10),
    "Eigendistortion, exact": lambda model: Eigendistortion(IMAGE, model).synthesize("exact"),
    "Eigendistortion, power": lambda model: Eigendistortion(IMAGE, model).synthesize(
        "power", max_iter=2
    ),
    "Eigendistortion, randomized": lambda model: Eigendistortion(IMAGE, model).synthesize(
        "randomized_svd"
    ),
    "MADCompetition, pushed": lambda model: MADCompetition(
        IMAGE, metrics.model_distance(model), metrics.mse, "max"
    ).synthesize(2),
    "MADCompetition, held": lambda model: MADCompetition(
        IMAGE, metrics.mse, metrics.model_distance(model), "max"
    ).synthesize(2),
    "mad_set": lambda model: mad_set(IMAGE, metrics.mse, metrics.model_distance(model), max_iter=1),
    "OptimizedImage": lambda model: OptimizedImage(IMAGE, lambda x: model(x)[0, 0, 0]).synthesize(
        2
    ),
    "Geodesic": run_geodesic,
    "balanced_by_sensitivity": lambda model: balanced_by_sensitivity(model, IMAGE),
    "features": lambda model: Eigendistortion(IMAGE, features(model, "patches")),
}


@pytest.mark.parametrize("make", [Attention, Encoder])
@pytest.mark.parametrize("name", ATTENTIVE)
def test_layers_of_attention_can_be_differentiated_by_every_method(
    name: str, make: Callable[[], nn.Module]
) -> None:
    ATTENTIVE[name](remove_grad(make()).eval())
    assert torch.backends.mha.get_fastpath_enabled()


def test_eigendistortions_of_attention_are_those_of_its_jacobian() -> None:
    model, image = remove_grad(Attention().double()).eval(), IMAGE.double()
    eig = Eigendistortion(image, model)
    eig.synthesize()
    with differentiable_attention():
        jacobian = torch.func.jacrev(model)(image).reshape(-1, 256)
    known = torch.linalg.eigvalsh(jacobian.T @ jacobian)
    torch.testing.assert_close(eig.eigenvalues[0], known[-1], rtol=1e-6, atol=0)


def test_an_output_that_cannot_be_differentiated_twice_says_how_it_can() -> None:
    model = remove_grad(Attention()).eval()
    x = IMAGE.clone().requires_grad_(True)
    direction = torch.ones(256, 1)
    with pytest.raises(InputError, match="differentiable_attention"):
        fisher_info_matrix_vector_product(model(x), x, direction)
    with differentiable_attention():
        y = model(x)
    assert bool((fisher_info_matrix_vector_product(y, x, direction) != 0).any())


# -- models that are shared ------------------------------------------------------------------------

SHARING: dict[str, Callable[[nn.Module], Any]] = {
    "Metamer": lambda model: Metamer(IMAGE, model),
    "SimpleMetamer": lambda model: SimpleMetamer(IMAGE, model),
    "MetamerCTF": lambda model: MetamerCTF(IMAGE, model),
    "Metamer, loss": lambda model: Metamer(
        IMAGE, nn.Identity(), loss_function=metrics.model_distance(model), penalties=[Power(model)]
    ),
    "Eigendistortion": lambda model: Eigendistortion(IMAGE, model),
    "Geodesic": lambda model: Geodesic(IMAGE, OTHER, model, 3),
    "MADCompetition": lambda model: MADCompetition(
        IMAGE, metrics.model_distance(model), metrics.mse, "max"
    ),
    "MADCompetition, held": lambda model: MADCompetition(
        IMAGE, metrics.mse, metrics.model_distance(model), "max"
    ),
    "OptimizedImage": lambda model: OptimizedImage(
        IMAGE, Power(model), penalties={"own": Power(model)}
    ),
    "OptimizedImage, held": lambda model: OptimizedImage(
        IMAGE, Power(model), held={"own": Power(model.part)}
    ),
}


class Power(nn.Module):
    """The mean square of a model's output."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x).square().mean()


class Shared(nn.Module):
    """A blur, with scales."""

    scales = ("whole", "part")

    def __init__(self) -> None:
        super().__init__()
        self.part = Gaussian(5)

    def forward(self, x: Tensor, scales: Any = None) -> Tensor:
        return self.part(x) if scales is None else self.part(x)[..., :4]


@pytest.mark.parametrize("name", SHARING)
def test_moving_one_object_leaves_others_that_share_its_model(name: str) -> None:
    model = remove_grad(Shared())
    moved, other = SHARING[name](model), SHARING[name](model)
    moved.to(torch.float64)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    for synthesis in (other, moved):
        synthesis.synthesize(max_iter=3)
    if hasattr(moved, "model") and name != "Metamer, loss":
        assert other.model is model
        assert {p.dtype for p in moved.model.parameters()} == {torch.float64}
    moved.to(torch.float32)
    moved.synthesize(max_iter=2)


def test_what_cannot_be_copied_is_not_moved() -> None:
    class Alone(Shared):
        def __deepcopy__(self, _: Any) -> Any:
            raise TypeError("there is one of me")

    model = remove_grad(Alone())
    metamer = Metamer(IMAGE, model)
    with pytest.raises(InputError, match="cannot be copied"):
        metamer.to(torch.float64)
    assert metamer.model is model
    metamer.synthesize(2)


# -- good networks ---------------------------------------------------------------------------------


def small() -> nn.Sequential:
    torch.manual_seed(0)
    layers = (nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def normed(norm: Callable[[nn.Module], nn.Module]) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(norm(nn.Conv2d(1, 4, 3)), nn.Softplus())


class Checkpointed(nn.Module):
    """A network that computes its middle anew on the way back."""

    def __init__(self) -> None:
        super().__init__()
        self.part = small()

    def forward(self, x: Tensor) -> Tensor:
        from torch.utils.checkpoint import checkpoint

        return checkpoint(self.part, x, use_reentrant=False)


def on_the_cpu(network: nn.DataParallel) -> nn.Module:
    """The network as it is where there are no GPUs, to which it would move the image."""
    network.device_ids = []
    return network.cpu()


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "in place": small,
    "spectral norm": lambda: normed(nn.utils.parametrizations.spectral_norm),
    "weight norm": lambda: normed(nn.utils.parametrizations.weight_norm),
    "data parallel": lambda: on_the_cpu(nn.DataParallel(small())),
    "channels last": lambda: small().to(memory_format=torch.channels_last),  # type: ignore[call-overload]
    "checkpointed": Checkpointed,
    "traced": lambda: torch.jit.trace(remove_grad(small()).eval(), IMAGE),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_as_they_come_have_metamers(name: str) -> None:
    model = remove_grad(NETWORKS[name]()).eval()
    metamer = Metamer(IMAGE, model, seed=0)
    metamer.synthesize(10)
    assert float(metamer.losses[-1]) < 0.2 * float(metamer.losses[0])
    metamer.to(torch.float64)


def test_a_device_that_differs_is_said() -> None:
    def elsewhere(_: Tensor) -> Tensor:
        raise RuntimeError("Expected all tensors to be on the same device, but found two")

    with pytest.raises(WrongDevice, match=r"mixes devices .* the image is on cpu: move it"):
        OptimizedImage(IMAGE, elsewhere)
    model = Says(elsewhere)
    model.register_buffer("weight", torch.ones(1, device="meta"))
    with pytest.raises(WrongDevice, match="is on meta and the image on cpu; move one of both"):
        checked_output(model, IMAGE)
