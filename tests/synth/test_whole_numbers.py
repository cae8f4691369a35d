"""Arguments that are whole numbers take those of numpy and floats without a fraction, and refuse the rest."""

import importlib
import inspect
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stimsynth import (
    CenterSurround,
    ColorPortillaSimoncelli,
    Eigendistortion,
    FoveatedPooling,
    Gaussian,
    Geodesic,
    Linear,
    LinearNonlinear,
    LuminanceContrastGainControl,
    LuminanceGainControl,
    MADCompetition,
    Metamer,
    MetamerCTF,
    OnOff,
    OptimizedImage,
    PortillaSimoncelli,
    SimpleMetamer,
    UniformPooling,
    balanced_by_sensitivity,
    convergence,
    features,
    images,
    mad_set,
    metrics,
    plots,
    profile,
    remove_grad,
    set_seed,
    transforms,
    validate,
)
from stimuli_store.errors import InputError
from tests.helpers import tiny_bank

IMAGE = images.load("camera", size=16)
OTHER = images.load("grass", size=16)
SMALL = (16, 16)
TEXTURE: dict[str, Any] = {"n_scales": 1, "n_orientations": 2, "spatial_corr_width": 3}


def blur() -> nn.Module:
    return remove_grad(Gaussian(5, std=1.0))


def texture(**kwargs: Any) -> PortillaSimoncelli:
    return PortillaSimoncelli(**{"image_shape": SMALL, **TEXTURE, **kwargs})


def ran(made: Any, *args: Any, **kwargs: Any) -> Any:
    made.synthesize(*args, **kwargs)
    return made


def metamer(**kwargs: Any) -> Metamer:
    return ran(Metamer(IMAGE, blur(), seed=0), **{"max_iter": 2, **kwargs})


def on_grid(**kwargs: Any) -> Any:
    small = Metamer(IMAGE[..., :5, :5], remove_grad(Gaussian(3)), seed=0)
    return small.on_grid(**{"rounds": 0, "steps": 0, **kwargs})


def coarse(**kwargs: Any) -> MetamerCTF:
    return ran(MetamerCTF(IMAGE, texture(), seed=0), **{"max_iter": 2, **kwargs})


def distorted(**kwargs: Any) -> Eigendistortion:
    return ran(Eigendistortion(IMAGE[..., :4, :4], blur(), seed=0), **{"max_iter": 20, **kwargs})


def competition(**kwargs: Any) -> MADCompetition:
    return MADCompetition(
        IMAGE, metrics.mse, lambda x, y: (x - y).abs().mean(), "max", **{"seed": 0, **kwargs}
    )


def contest(**kwargs: Any) -> Any:
    given = {"noise_levels": [0.1], "max_iter": 1, "seed": 0, **kwargs}
    return mad_set(IMAGE, metrics.mse, lambda x, y: (x - y).abs().mean(), **given)


def geodesic(**kwargs: Any) -> Geodesic:
    return Geodesic(IMAGE, OTHER, blur(), **{"n_steps": 3, "seed": 0, **kwargs})


def bridge(**kwargs: Any) -> Geodesic:
    return geodesic(initial_sequence="bridge", **kwargs)


def best() -> OptimizedImage:
    return OptimizedImage(IMAGE, torch.std)


def steps(make: Callable[[], Any], argument: str) -> Callable[[Any], Any]:
    return lambda n: ran(make(), **{"max_iter": 2, argument: n})


def shown(draw: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    pytest.importorskip("matplotlib")
    draw(*args, **kwargs)


# Where a whole number is taken: a value that is good, and a call with it.
TAKES: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "Gaussian.kernel_size": (3, lambda n: Gaussian(n, 1.0)(IMAGE)),
    "Gaussian.out_channels": (2, lambda n: Gaussian(3, 1.0, out_channels=n)(IMAGE)),
    "CenterSurround.kernel_size": (3, lambda n: CenterSurround(n)(IMAGE)),
    "CenterSurround.out_channels": (2, lambda n: CenterSurround(3, out_channels=n)(IMAGE)),
    "Linear.kernel_size": (3, lambda n: Linear(n)(IMAGE)),
    "Linear.seed": (3, lambda n: Linear(default_filters=False, seed=n)(IMAGE)),
    "LinearNonlinear.kernel_size": (3, lambda n: LinearNonlinear(n)(IMAGE)),
    "LuminanceGainControl.kernel_size": (3, lambda n: LuminanceGainControl(n)(IMAGE)),
    "LuminanceContrastGainControl.kernel_size": (
        3,
        lambda n: LuminanceContrastGainControl(n)(IMAGE),
    ),
    "OnOff.kernel_size": (3, lambda n: OnOff(n)(IMAGE)),
    "PortillaSimoncelli.image_shape": (16, lambda n: texture(image_shape=(n, n))(IMAGE)),
    "PortillaSimoncelli.n_scales": (1, lambda n: texture(n_scales=n)(IMAGE)),
    "PortillaSimoncelli.n_orientations": (2, lambda n: texture(n_orientations=n)(IMAGE)),
    "PortillaSimoncelli.spatial_corr_width": (3, lambda n: texture(spatial_corr_width=n)(IMAGE)),
    "PortillaSimoncelli.plot_representation.batch_idx": (
        0,
        lambda n: shown(texture().plot_representation, texture()(IMAGE), batch_idx=n),
    ),
    "ColorPortillaSimoncelli.image_shape": (
        16,
        lambda n: ColorPortillaSimoncelli((n, n), **TEXTURE)(IMAGE.expand(1, 3, 16, 16)),
    ),
    **{
        f"ColorPortillaSimoncelli.{name}": (
            value,
            lambda n, name=name: ColorPortillaSimoncelli(SMALL, **{**TEXTURE, name: n})(
                IMAGE.expand(1, 3, 16, 16)
            ),
        )
        for name, value in TEXTURE.items()
    },
    "FoveatedPooling.image_shape": (
        32,
        lambda n: FoveatedPooling((n, n), ppd=8),
    ),
    **{
        f"FoveatedPooling.{name}": (
            value,
            lambda n, name=name: FoveatedPooling(
                (32, 32), "texture", ppd=8, **{**TEXTURE, name: n}
            ),
        )
        for name, value in TEXTURE.items()
    },
    "FoveatedPooling.windows.image_shape": (
        32,
        lambda n: FoveatedPooling(ppd=8).windows((n, 32)),
    ),
    "UniformPooling.n_scales": (2, lambda n: UniformPooling(8, n_scales=n)),
    "UniformPooling.n_orientations": (2, lambda n: UniformPooling(8, n_orientations=n)),
    "features.channels": (
        1,
        lambda n: features(nn.Sequential(blur()), "0", channels=n)(IMAGE),
    ),
    "features.image_shape": (
        16,
        lambda n: features(nn.Sequential(blur()), ["0"], image_shape=(1, n, 16))(IMAGE),
    ),
    "features.size": (8, lambda n: features(nn.Sequential(blur()), "0", size=n)(IMAGE)),
    "balanced_by_sensitivity.n_probes": (
        1,
        lambda n: balanced_by_sensitivity(blur(), IMAGE, n_probes=n),
    ),
    "balanced_by_sensitivity.seed": (
        1,
        lambda n: balanced_by_sensitivity(blur(), IMAGE, n_probes=1, seed=n)(IMAGE),
    ),
    "Metamer.seed": (3, lambda n: Metamer(IMAGE, blur(), seed=n).metamer),
    "Metamer.synthesize.max_iter": (2, lambda n: metamer(max_iter=n).metamer),
    "Metamer.synthesize.store_progress": (2, lambda n: metamer(store_progress=n).saved_metamer),
    "Metamer.synthesize.stop_iters_to_check": (2, lambda n: metamer(stop_iters_to_check=n).losses),
    "Metamer.on_grid.bits": (1, lambda n: on_grid(bits=n)),
    "Metamer.on_grid.seed": (1, lambda n: on_grid(seed=n)),
    "Metamer.on_grid.rounds": (0, lambda n: on_grid(rounds=n)),
    "Metamer.on_grid.steps": (0, lambda n: on_grid(steps=n)),
    "MetamerCTF.seed": (3, lambda n: MetamerCTF(IMAGE, texture(), seed=n).metamer),
    "MetamerCTF.progress_of.item": (0, lambda n: coarse().progress_of(n)),
    **{
        f"MetamerCTF.synthesize.{name}": (2, lambda n, name=name: coarse(**{name: n}).losses)
        for name in ("max_iter", "store_progress", "stop_iters_to_check", "ctf_iters_to_check")
    },
    "SimpleMetamer.synthesize.max_iter": (2, lambda n: ran(SimpleMetamer(IMAGE, blur()), n)),
    "SimpleMetamer.seed": (2, lambda n: SimpleMetamer(IMAGE, blur(), seed=n).metamer),
    "Eigendistortion.seed": (2, lambda n: Eigendistortion(IMAGE, blur(), seed=n)),
    "Eigendistortion.synthesize.k": (2, lambda n: distorted(k=n).eigenvalues),
    "Eigendistortion.synthesize.max_iter": (20, lambda n: distorted(max_iter=n).eigenvalues),
    "Eigendistortion.synthesize.basis_size": (20, lambda n: distorted(basis_size=n).eigenvalues),
    "Eigendistortion.synthesize.p": (2, lambda n: distorted(method="randomized_svd", p=n)),
    "Eigendistortion.synthesize.q": (2, lambda n: distorted(method="randomized_svd", q=n)),
    "Eigendistortion.on_grid.bits": (8, lambda n: distorted().on_grid(0.5, bits=n)),
    "Eigendistortion.on_grid.seed": (8, lambda n: distorted().on_grid(0.5, seed=n)),
    "MADCompetition.seed": (3, lambda n: competition(seed=n).initial_image),
    "MADCompetition.on_grid.bits": (8, lambda n: ran(competition(), 1).on_grid(bits=n)),
    **{
        f"MADCompetition.synthesize.{name}": (2, steps(competition, name))
        for name in ("max_iter", "store_progress", "stop_iters_to_check")
    },
    "mad_set.seed": (3, lambda n: contest(seed=n)),
    "mad_set.max_iter": (2, lambda n: contest(max_iter=n)),
    "mad_set.stop_iters_to_check": (2, lambda n: contest(stop_iters_to_check=n)),
    "Metamer.get_progress.iteration": (
        1,
        lambda n: metamer(store_progress=1).get_progress(n).losses,
    ),
    "Geodesic.n_steps": (3, lambda n: geodesic(n_steps=n).geodesic),
    "Geodesic.n_starts": (2, lambda n: bridge(n_starts=n).geodesic),
    "Geodesic.seed": (3, lambda n: bridge(seed=n).geodesic),
    **{
        f"Geodesic.synthesize.{name}": (2, steps(geodesic, name))
        for name in ("max_iter", "store_progress", "stop_iters_to_check")
    },
    **{
        f"OptimizedImage.synthesize.{name}": (2, steps(best, name))
        for name in ("max_iter", "store_progress", "stop_iters_to_check")
    },
    "profile.repeats": (1, lambda n: profile(blur(), IMAGE, repeats=n)),
    "set_seed.seed": (3, set_seed),
    **{
        f"{check.__name__}.image_shape": (
            16,
            lambda n, check=check, given=given: check(given(), image_shape=(1, 1, n, n)),
        )
        for check, given in (
            (validate.validate_model, lambda: blur().eval()),
            (validate.validate_coarse_to_fine, lambda: texture().eval()),
            (validate.validate_metric, lambda: metrics.mse),
            (validate.validate_penalty, lambda: torch.std),
        )
    },
    "bars.size": (8, lambda n: images.bars(n)),
    "checkerboard.size": (8, lambda n: images.checkerboard(n)),
    "checkerboard.check_px": (2, lambda n: images.checkerboard(8, check_px=n)),
    "dead_leaves.size": (8, lambda n: images.dead_leaves(n, seed=0)),
    "dead_leaves.seed": (8, lambda n: images.dead_leaves(8, seed=n)),
    "grating.size": (8, lambda n: images.grating(n, cycles_per_image=2)),
    "plaid.size": (8, lambda n: images.plaid(n, cycles_per_image=2)),
    "polar_angle.size": (8, lambda n: images.polar_angle(n)),
    "polar_radius.size": (8, lambda n: images.polar_radius(n)),
    "pink_noise.size": (8, lambda n: images.pink_noise(n, seed=0)),
    "pink_noise.seed": (8, lambda n: images.pink_noise(8, seed=n)),
    "load.size": (16, lambda n: images.load("camera", size=n)),
    "load_picture.size": (
        16,
        lambda n: images.load_picture(images.get_path("camera"), size=n).pixels,
    ),
    "isotrigon.size": (8, lambda n: images.isotrigon(n, seed=0)),
    "isotrigon.seed": (8, lambda n: images.isotrigon(8, seed=n)),
    "scattered_shapes.size": (32, lambda n: images.scattered_shapes(n, seed=0)),
    "scattered_shapes.seed": (8, lambda n: images.scattered_shapes(32, seed=n)),
    "make_synthetic_stimuli.size": (64, lambda n: images.make_synthetic_stimuli(n)),
    "make_synthetic_stimuli.seed": (4, lambda n: images.make_synthetic_stimuli(64, seed=n)),
    "uniform_noise.shape": (4, lambda n: images.uniform_noise((n, n), 0)),
    "uniform_noise.seed": (4, lambda n: images.uniform_noise((4, 4), n)),
    "voronoi.size": (8, lambda n: images.voronoi(n, seed=0)),
    "voronoi.cells": (8, lambda n: images.voronoi(8, cells=n)),
    "voronoi.seed": (8, lambda n: images.voronoi(8, seed=n)),
    "LaplacianPyramid.n_scales": (2, lambda n: transforms.LaplacianPyramid(n)(IMAGE)[0]),
    "LogPolar.image_shape": (
        16,
        lambda n: transforms.LogPolar(image_shape=(n, n), ppd=8).n_rings,
    ),
    "SteerablePyramidFreq.image_shape": (
        16,
        lambda n: transforms.SteerablePyramidFreq((n, 16), height=1)(IMAGE)[0],
    ),
    "SteerablePyramidFreq.height": (
        2,
        lambda n: transforms.SteerablePyramidFreq(SMALL, height=n)(IMAGE)[1],
    ),
    "SteerablePyramidFreq.order": (
        1,
        lambda n: transforms.SteerablePyramidFreq(SMALL, height=1, order=n)(IMAGE)[0],
    ),
    "SteerablePyramidFreq.forward.scales": (
        0,
        lambda n: transforms.SteerablePyramidFreq(SMALL, height=1)(IMAGE, scales=[n]),
    ),
    "SteerablePyramidFreq.recon_pyr.levels": (0, lambda n: part(levels=[n])),
    "SteerablePyramidFreq.recon_pyr.bands": (1, lambda n: part(bands=[n])),
    "SteerablePyramidFreq.convert_tensor_to_pyr.num_channels": (1, lambda n: back(n)),
    "upsample_blur.n_scales": (2, lambda n: transforms.upsample_blur(IMAGE, (0, 0), n_scales=n)),
    "blur_downsample.n_scales": (2, lambda n: transforms.blur_downsample(IMAGE, n_scales=n)),
    "center_crop.output_size": (8, lambda n: transforms.center_crop(IMAGE, n)),
    "circular_gaussian2d.kernel_size": (5, lambda n: transforms.circular_gaussian2d(n, 1.0)),
    "circular_gaussian2d.out_channels": (
        2,
        lambda n: transforms.circular_gaussian2d(5, 1.0, out_channels=n),
    ),
    "gaussian1d.kernel_size": (5, lambda n: transforms.gaussian1d(n)),
    "harmonic_matrix.harmonics": (1, lambda n: torch.as_tensor(harmonic(n))),
    "make_disk.img_size": (8, lambda n: transforms.make_disk(n)),
    "make_straight_line.n_steps": (2, lambda n: transforms.make_straight_line(IMAGE, OTHER, n)),
    "sample_brownian_bridge.n_steps": (
        2,
        lambda n: transforms.sample_brownian_bridge(IMAGE, OTHER, n).shape,
    ),
    "translation_sequence.n_steps": (2, lambda n: transforms.translation_sequence(IMAGE, n)),
    **{
        f"{name}.dim": (1, lambda n, name=name: getattr(transforms, name)(IMAGE, dim=n))
        for name in ("kurtosis", "skew", "variance", "maximum", "minimum")
    },
    **{
        f"same_padding.{name}": (
            2,
            lambda n, name=name: transforms.same_padding(IMAGE, **{"kernel_size": 3, name: n}),
        )
        for name in ("kernel_size", "stride", "dilation")
    },
    "steering_weights.n_basis": (2, lambda n: weights(n)),
    "steering_weights.harmonics": (
        1,
        lambda n: transforms.steering_weights(0.5, 2, harmonics=[n]),
    ),
    "upsample_blur.odd": (0, lambda n: transforms.upsample_blur(IMAGE, (n, n))),
    "upsample_convolve.odd": (
        0,
        lambda n: transforms.upsample_convolve(IMAGE, (n, n), torch.ones(3, 3)),
    ),
    "window_averages.grid": (
        2,
        lambda n: transforms.window_averages(
            transforms.LogPolar(image_shape=SMALL, ppd=8), grid=(n, 2)
        ),
    ),
    "coarse_to_fine_enough.i": (2, lambda n: convergence.coarse_to_fine_enough(coarse(), n, 1)),
    "coarse_to_fine_enough.ctf_iters_to_check": (
        2,
        lambda n: convergence.coarse_to_fine_enough(coarse(), 1, n),
    ),
    "loss_convergence.stop_iters_to_check": (
        1,
        lambda n: convergence.loss_convergence(metamer(), 1e-4, n),
    ),
    "pixel_change_convergence.stop_iters_to_check": (
        1,
        lambda n: convergence.pixel_change_convergence(metamer(), 1e-4, n),
    ),
    "display_eigendistortion.eigenindex": (
        0,
        lambda n: shown(plots.display_eigendistortion, distorted(), eigenindex=n),
    ),
    "display_eigendistortion.batch_idx": (
        0,
        lambda n: shown(plots.display_eigendistortion, distorted(), batch_idx=n),
    ),
    "display_eigendistortion_all.eigenindex": (
        0,
        lambda n: shown(plots.display_eigendistortion_all, distorted(), [n]),
    ),
    "display_mad_set.batch_idx": (
        0,
        lambda n: shown(plots.display_mad_set, contest(), batch_idx=n),
    ),
    "display_bank.columns": (2, lambda n: shown(plots.display_bank, one_bank(), columns=n)),
    "display_bank.side_px": (16, lambda n: shown(plots.display_bank, one_bank(), side_px=n)),
    "display_mad_image.batch_idx": (
        0,
        lambda n: shown(plots.display_mad_image, ran(competition(), 1), batch_idx=n),
    ),
    "display_mad_image.channel_idx": (
        0,
        lambda n: shown(plots.display_mad_image, ran(competition(), 1), channel_idx=n),
    ),
    "display_mad_image.iteration": (
        0,
        lambda n: shown(
            plots.display_mad_image, ran(competition(), 1, store_progress=1), iteration=n
        ),
    ),
    "imshow.batch_idx": (0, lambda n: shown(plots.imshow, IMAGE, batch_idx=n)),
    "imshow.channel_idx": (0, lambda n: shown(plots.imshow, IMAGE, channel_idx=n)),
    "histogram.batch_idx": (0, lambda n: shown(plots.histogram, IMAGE, batch_idx=n)),
    "histogram.channel_idx": (0, lambda n: shown(plots.histogram, IMAGE, channel_idx=n)),
    "imshow.col_wrap": (1, lambda n: shown(plots.imshow, IMAGE, col_wrap=n)),
    "pyrshow.batch_idx": (0, lambda n: shown(plots.pyrshow, {0: IMAGE[:, :, None]}, batch_idx=n)),
    "pyrshow.channel_idx": (
        0,
        lambda n: shown(plots.pyrshow, {0: IMAGE[:, :, None]}, channel_idx=n),
    ),
    "plot_representation.batch_idx": (
        0,
        lambda n: shown(plots.plot_representation, data=IMAGE, batch_idx=n),
    ),
    "plot_loss.iteration": (1, lambda n: shown(plots.plot_loss, metamer(), iteration=n)),
    "plot_synthesis_status.axes_idx": (
        0,
        lambda n: shown(
            plots.plot_synthesis_status,
            ran(competition(), 1),
            axes_idx={"pixel_values": n},
            included_plots=["plot_pixel_values"],
        ),
    ),
    "Film.frame.number": (
        1,
        lambda n: shown(plots.animshow(IMAGE[None].repeat(1, 1, 2, 1, 1)).frame, n),
    ),
    "Film.frames": (2, lambda n: shown(plots.Film, plots.imshow(IMAGE), lambda _: [], n)),
    "plot_statistics.batch_idx": (
        0,
        lambda n: shown(
            plots.plot_statistics, texture().convert_to_dict(texture()(IMAGE)), batch_idx=n
        ),
    ),
}


@cache
def one_bank() -> Any:
    return tiny_bank(Path(mkdtemp()), targets=("leaf",), levels=(4.0,), seeds=(0,))


def part(**kwargs: Any) -> Tensor:
    pyramid = transforms.SteerablePyramidFreq(SMALL, height=2)
    return pyramid.recon_pyr(pyramid(IMAGE), **kwargs)


def back(num_channels: Any) -> Any:
    pyramid = transforms.SteerablePyramidFreq(SMALL, height=1, downsample=False)
    tensor, (_, *info) = pyramid.convert_pyr_to_tensor(pyramid(IMAGE))
    return pyramid.convert_tensor_to_pyr(tensor, num_channels, *info)


def harmonic(n: Any) -> Any:
    return transforms.harmonic_matrix([n], torch.tensor([0.0, 1.0]))


def weights(n: Any) -> Any:
    return transforms.steering_weights(0.5, n)


def same(one: Any, other: Any) -> bool:
    return not isinstance(one, Tensor) or torch.allclose(one, other, equal_nan=True)


@pytest.mark.parametrize("name", TAKES)
def test_numpy_numbers_and_whole_floats_are_whole(name: str) -> None:
    value, call = TAKES[name]
    plain = call(value)
    for kind in (np.int64, float):
        assert same(call(kind(value)), plain), kind


@pytest.mark.parametrize("name", TAKES)
def test_other_numbers_get_one_sentence(name: str) -> None:
    value, call = TAKES[name]
    for wrong in (value + 0.5, str(value)):
        with pytest.raises(InputError):
            call(wrong)


# Names of scales and orientations, which are compared with those a model has, shapes of tensors, and numbers
# of files, which `test_agreement.py` has.
NAMES = re.compile(
    r"\.(references|distortions|scales|scales_to_keep|wanted|pyr_keys|pyr_coeffs|levels|noise_levels)$"
)
# The same argument under another name, through the same function.
ALIKE = {
    "MetamerObjective.seed": "Metamer.seed",
    "PortillaSimoncelli.update_plot.batch_idx": "plot_statistics.batch_idx",
    "steer.harmonics": "steering_weights.harmonics",
    "animshow.batch_idx": "imshow.batch_idx",
    "display_eigendistortion_all.batch_idx": "display_eigendistortion.batch_idx",
    "animshow.channel_idx": "imshow.channel_idx",
    "animshow.col_wrap": "imshow.col_wrap",
    "update_plot.batch_idx": "plot_representation.batch_idx",
    "plot_representation_error.batch_idx": "plot_representation.batch_idx",
    "animate.axes_idx": "plot_synthesis_status.axes_idx",
    **{
        f"{name}.{argument}": f"display_mad_image.{argument}"
        for name in (
            "animate",
            "display_image",
            "display_metamer",
            "plot_pixel_values",
            "plot_representation_error",
            "plot_synthesis_status",
        )
        for argument in ("batch_idx", "channel_idx", "iteration")
    },
}


def test_every_whole_number_that_is_public_is_in_the_table() -> None:
    """Arguments of public functions, classes and their methods whose type is a whole number or several.

    Of the synthesis: what the front door has of the other packages is in their own tables.
    """
    labels: dict[Any, set[str]] = {}
    for package in ("", ".images", ".transforms", ".convergence", ".plots"):
        module = importlib.import_module(f"stimsynth{package}")
        for name in module.__all__:
            thing = getattr(module, name)
            made_here = getattr(thing, "__module__", "").startswith("stimsynth")
            for label, function in callables(name, thing) if made_here else []:
                labels.setdefault(function, set()).add(label)
    known = TAKES.keys() | ALIKE.keys()
    missing = {
        f"{min(names)}.{argument}"
        for function, names in labels.items()
        for argument in whole_arguments(function)
        if not {f"{name}.{argument}" for name in names} & known and not NAMES.search(f".{argument}")
    }
    assert missing == set()


def callables(name: str, thing: Any) -> list[tuple[str, Any]]:
    """Yield a function, or the constructor and public methods of a class, with their names."""
    if not inspect.isclass(thing):
        return [(name, thing)] if inspect.isfunction(thing) else []
    methods = inspect.getmembers(thing, inspect.isfunction)
    public = [(f"{name}.{label}", method) for label, method in methods if label[0] != "_"]
    ours = [
        pair
        for pair in public
        if pair[1].__module__.startswith("stimsynth")
        and not hasattr(pair[1], "__isabstractmethod__")
    ]
    return [(name, thing.__init__), *ours]


def whole_arguments(function: Any) -> list[str]:
    kinds = re.compile(r"\bint\b|ImageSize|KernelSize|Seed")
    arguments = inspect.signature(function).parameters.values()
    return [a.name for a in arguments if kinds.search(str(a.annotation))]
