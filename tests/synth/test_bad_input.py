"""What makes no sense is refused with one sentence, before anything is done."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stimsynth import (
    Eigendistortion,
    Gaussian,
    Geodesic,
    MADCompetition,
    Metamer,
    MetamerCTF,
    OptimizedImage,
    PortillaSimoncelli,
    images,
    losses,
    mad_set,
    metrics,
    plots,
    remove_grad,
    validate_allowed_range,
    validate_input,
)
from stimuli_store.errors import InputError

IMAGE = images.load("camera", size=16)
OTHER = images.load("grass", size=16)
INF = float("inf")


def blur() -> nn.Module:
    return remove_grad(Gaussian(5, std=1.0))


def difference(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).abs().mean()


def no_slope(x: Tensor, y: Tensor) -> Tensor:
    return difference(x, y).detach()


def textures() -> MetamerCTF:
    return MetamerCTF(IMAGE, PortillaSimoncelli((16, 16), n_scales=1, spatial_corr_width=3))


def distortions() -> Eigendistortion:
    return Eigendistortion(IMAGE, blur())


def competition(**kwargs: Any) -> MADCompetition:
    return MADCompetition(IMAGE, metrics.mse, difference, "max", **kwargs)


def best(**kwargs: Any) -> OptimizedImage:
    return OptimizedImage(IMAGE, torch.std, **kwargs)


def geodesic() -> Geodesic:
    return Geodesic(IMAGE, OTHER, blur())


class Nothing(nn.Module):
    """A model that returns no values."""

    def forward(self, image: Tensor) -> Tensor:
        return image[:, :0]


class Says(nn.Module):
    """A model made of one function."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, image: Tensor) -> Any:
        return self.function(image)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "no image": (lambda: Metamer(None, blur()), "a metamer without an image needs"),
    "no output": (lambda: Metamer(IMAGE, Nothing()), "it returns nothing"),
    "learns": (lambda: Metamer(IMAGE, nn.Conv2d(1, 2, 3)), "remove_grad"),
    "uint8": (lambda: Metamer((255 * IMAGE).byte(), blur()), "floating-point or complex type"),
    "in place": (lambda: Metamer(IMAGE, Says(lambda x: x.mul_(2))), "changes its input in place"),
    "tuple": (lambda: Metamer(IMAGE, Says(lambda x: (x, x))), "Says returns tuple"),
    "NaN": (lambda: Metamer(IMAGE, Says(lambda x: (x - 2).log())), "NaN or infinite"),
    "detached": (lambda: Metamer(IMAGE, Says(lambda x: x.detach())), "strips the gradient"),
    "one number": (lambda: Metamer(IMAGE, Says(torch.std)), r"it returns shape \(\)"),
    "whole start": (
        lambda: Metamer(IMAGE, blur(), initial_image=(IMAGE * 255).int()),
        "floating-point",
    ),
    "complex start": (lambda: Metamer(IMAGE, blur(), initial_image=IMAGE + 1j), "real part"),
    "start of meta": (lambda: Metamer(IMAGE, blur(), initial_image=IMAGE.to("meta")), "meta"),
    "start without batch": (
        lambda: Metamer(IMAGE, blur(), initial_image=torch.tensor(1.0)),
        "batch as its first",
    ),
    "NaN target": (
        lambda: Metamer(
            None, blur(), initial_image=IMAGE, target_representation=IMAGE * float("nan")
        ),
        "finite values",
    ),
    "half": (lambda: Metamer(IMAGE.half(), blur()), "Fourier transforms"),
    "infinite weight": (lambda: Metamer(IMAGE, blur(), range_penalty_lambda=INF), "finite"),
    "single": (lambda: Metamer(IMAGE, blur(), penalties=[(torch.mean,)]), "a pair must be"),
    "weight": (lambda: Metamer(IMAGE, blur(), penalties=[("a", torch.mean)]), "the weight of"),
    "order": (lambda: best(penalties={"a": (torch.mean, 0.5)}), "the weight of"),
    "triple": (lambda: best(held={"a": (torch.mean, 0.5, 1)}), "a pair must be"),
    "text": (lambda: best(held={"a": (torch.mean, "a")}), "the value of a must be a finite"),
    "NaN value": (lambda: best(held={"a": (torch.mean, float("nan"))}), "the value of a"),
    "three axes": (lambda: OptimizedImage(IMAGE[0], torch.std), r"image\[None, None\]"),
    "class": (
        lambda: Metamer(IMAGE, blur(), loss_function=nn.MSELoss),  # type: ignore[arg-type]
        r"MSELoss is a class; give an object of it, MSELoss\(\)",
    ),
    "no slope": (lambda: MADCompetition(IMAGE, no_slope, difference, "max"), "strips the"),
    "no slope held": (lambda: mad_set(IMAGE, difference, no_slope), "strips the"),
    "complex mad": (lambda: competition(initial_image=IMAGE + 1j), "real part"),
    "much noise": (lambda: competition(initial_noise=10**400), "initial_noise"),
    "one level": (lambda: mad_set(IMAGE, metrics.mse, difference, 0.1), "must be a list of"),  # type: ignore[arg-type]
    "levels": (lambda: mad_set(IMAGE, metrics.mse, difference, torch.tensor(3)), "must be a list"),  # type: ignore[arg-type]
    "scale criterion": (
        lambda: textures().synthesize(2, change_scale_criterion="a"),  # type: ignore[arg-type]
        "change_scale_criterion",
    ),
    "scale steps": (lambda: textures().synthesize(2, ctf_iters_to_check=1.5), "a whole number"),  # type: ignore[arg-type]
    "basis": (lambda: distortions().synthesize(basis_size="a"), "basis_size, if not None, must be"),  # type: ignore[arg-type]
    "tolerance": (lambda: distortions().synthesize(residual_tolerance=-1), "of 0 or more"),
    "alpha": (lambda: distortions().on_grid(10**400), "alpha"),
    "complex ends": (lambda: Geodesic(IMAGE + 0j, OTHER, blur()), "image_a must be real"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_sentence_says_what_is_wrong(name: str) -> None:
    call, match = REFUSED[name]
    with pytest.raises(InputError, match=match):
        call()


@pytest.mark.parametrize(
    "where", ["cuda:99", "elsewhere", torch.int64, torch.complex64, "meta", [1]]
)
@pytest.mark.parametrize("make", [distortions, competition, best, geodesic])
def test_what_cannot_be_moved_there_stays_as_it_is(make: Callable[[], Any], where: Any) -> None:
    synthesis = make()
    with pytest.raises(InputError):
        synthesis.to(where)
    synthesis.synthesize(max_iter=2)


TAKES_A_RANGE: dict[str, Callable[[Any], object]] = {
    "Metamer": lambda pair: Metamer(IMAGE, blur(), allowed_range=pair),
    "MetamerCTF": lambda pair: MetamerCTF(
        IMAGE, PortillaSimoncelli((16, 16), n_scales=1, spatial_corr_width=3), allowed_range=pair
    ),
    "OptimizedImage": lambda pair: best(allowed_range=pair),
    "MADCompetition": lambda pair: competition(allowed_range=pair),
    "Geodesic": lambda pair: Geodesic(IMAGE, OTHER, blur(), allowed_range=pair),
    "mad_set": lambda pair: mad_set(
        IMAGE, metrics.mse, difference, [0.1], allowed_range=pair, max_iter=1
    ),
    "Eigendistortion.on_grid": lambda pair: found().on_grid(0.5, allowed_range=pair),
    "penalize_range": lambda pair: losses.penalize_range(IMAGE, pair),
    "uniform_noise": lambda pair: images.uniform_noise((4, 4), 0, pair),
    "validate_allowed_range": validate_allowed_range,
    "validate_input": lambda pair: validate_input(IMAGE, allowed_range=pair),
}


@pytest.mark.parametrize("name", TAKES_A_RANGE)
def test_a_reversed_range_is_named_as_such(name: str) -> None:
    TAKES_A_RANGE[name]((0, 1))
    with pytest.raises(InputError, match=r"allowed_range \(1, 0\) is reversed; give \(0, 1\)"):
        TAKES_A_RANGE[name]((1, 0))
    with pytest.raises(InputError, match="low < high"):
        TAKES_A_RANGE[name]((1, 1))


def test_numpy_is_welcome() -> None:
    three, seen = np.int64(3), blur()
    way = Geodesic(IMAGE.numpy(), OTHER.numpy(), seen, n_steps=three)  # type: ignore[arg-type]
    way.synthesize(2, store_progress=three)  # type: ignore[arg-type]
    assert way.geodesic.shape == (4, 1, 16, 16)
    assert OptimizedImage(IMAGE.numpy(), torch.std).image.shape == IMAGE.shape  # type: ignore[arg-type]
    levels = mad_set(IMAGE, metrics.mse, difference, np.array([0.1, 0.2]), max_iter=1)  # type: ignore[arg-type]
    assert [level.noise_level for level in levels] == [0.1, 0.2]
    metamer = Metamer(IMAGE, seen)
    assert metamer.on_grid(np.int64(4), rounds=three, steps=three).bits == 4  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_what_is_held_at_nothing_does_not_drift(value: float) -> None:
    def balance(image: Tensor) -> Tensor:
        return image[..., :8].mean() - image[..., 8:].mean()

    start = IMAGE.double().clamp(0.3, 0.7)
    run = OptimizedImage(start, torch.std, held={"balance": (balance, value / 5)})
    run.synthesize(30)
    (found,) = run.quality()
    assert found.good, found
    assert abs(found.figures["drift of balance"]) < 1e-3


PLOTS: dict[str, Callable[[], object]] = {
    "kind": lambda: plots.display_mad_image(IMAGE),  # type: ignore[arg-type]
    "kinds": lambda: plots.display_mad_image_all(*[competition()] * 3, None),  # type: ignore[arg-type,misc]
    "axes": lambda: plots.plot_loss(competition(), axes=5),  # type: ignore[arg-type]
    "iteration": lambda: plots.display_mad_image(competition(), iteration="a"),  # type: ignore[arg-type]
    "item": lambda: plots.display_mad_image(competition(), batch_idx="a"),  # type: ignore[arg-type]
    "zoom": lambda: plots.display_mad_image(competition(), zoom="a"),  # type: ignore[arg-type]
    "range": lambda: plots.display_mad_image(competition(), vrange=5),
    "size": lambda: plots.plot_synthesis_status(competition(), figsize=5),  # type: ignore[arg-type]
    "alpha": lambda: plots.display_eigendistortion(found(), alpha=float("nan")),
    "rank": lambda: plots.display_eigendistortion(found(), eigenindex="a"),  # type: ignore[arg-type]
    "no item": lambda: plots.display_eigendistortion(found(), batch_idx=1),
    "process": lambda: plots.display_eigendistortion(found(), process_image=5),  # type: ignore[arg-type]
    "no geodesic": lambda: plots.plot_loss(IMAGE),
    "video": lambda: plots.plot_deviation_from_line(geodesic(), natural_video="a"),  # type: ignore[arg-type]
    "ax": lambda: plots.plot_deviation_from_line(geodesic(), ax=5),  # type: ignore[arg-type]
}


def found() -> Eigendistortion:
    made = distortions()
    made.synthesize()
    return made


@pytest.mark.parametrize("name", PLOTS)
def test_plots_say_what_they_show(name: str) -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(InputError):
        PLOTS[name]()
