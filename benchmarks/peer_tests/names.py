"""Modules that have plenoptic's public names and this project's functions."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.peer_tests import drawing, syntheses
from benchmarks.peer_tests.errors import NotAtHand, NotOffered
from stimsynth import (
    examine_saved_synthesis,
    images,
    losses,
    metrics,
    models,
    plots,
    remove_grad,
    set_seed,
    transforms,
    validate,
)
from stimsynth.methods.base.saving import LoadWarning


class Names(ModuleType):
    """A module with some names, for which any other is not offered."""

    def __init__(self, name: str, names: Mapping[str, Any]) -> None:
        super().__init__(name)
        self.__dict__.update(names)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "pytest")):
            raise AttributeError(name)
        raise NotOffered(f"{self.__name__}.{name}")


class Absent(ModuleType):
    """A package that is not installed, whatever is asked of it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "pytest")):
            raise AttributeError(name)
        return _Absent(f"{self.__name__}.{name}")


class _Absent:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> "_Absent":
        if name.startswith(("_", "pytest")):
            raise AttributeError(name)
        return _Absent(f"{self._name}.{name}")

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise NotAtHand(f"{self._name} needs a package or weights that are not here")


def install(checkout: Path, pictures: Path) -> None:
    """Put the modules in the place of plenoptic, timm and torchvision."""
    data = checkout / "src" / "plenoptic" / "data"

    def fetch_data(name: str) -> Path:
        if name == "test_images.tar.gz":
            return pictures
        raise NotAtHand(f"the file {name}")

    def bundled(name: str) -> Any:
        return lambda as_gray=True: images.load_images(data / name, as_gray)

    parts = {
        "data": {
            "fetch_data": fetch_data,
            "DOWNLOADABLE_FILES": [],
            "einstein": bundled("einstein.pgm"),
            "curie": bundled("curie.pgm"),
            "parrot": bundled("parrot.png"),
            "reptile_skin": bundled("reptile_skin.pgm"),
            "color_wheel": lambda as_gray=False: images.load_images(
                data / "color_wheel.jpg", as_gray
            ),
            "polar_radius": images.polar_radius,
            "polar_angle": images.polar_angle,
            "disk": transforms.make_disk,
        },
        "process": {
            **{name: getattr(transforms, name) for name in dir(transforms)},
            "normalized_laplacian_pyramid": metrics.normalized_laplacian_pyramid,
            "ssim_map": metrics.ssim_map,
        },
        "models": {name: getattr(models, name) for name in dir(models)},
        "metric": {
            **{name: getattr(metrics, name) for name in ("mse", "ssim", "ms_ssim", "nlpd")},
            "model_metric_factory": metrics.model_distance,
        },
        "loss": {
            **{name: getattr(losses, name) for name in dir(losses)},
            "set_seed": set_seed,
        },
        "regularize": {"penalize_range": losses.penalize_range},
        "validate": {name: getattr(validate, name) for name in dir(validate)},
        "io": {"examine_saved_synthesis": examine_saved_synthesis, "LoadWarning": LoadWarning},
        "external": {"plot_MAD_results": plots.plot_MAD_results},
        "plot": _PLOTS,
    }
    for name, names in parts.items():
        sys.modules[f"plenoptic.{name}"] = Names(f"plenoptic.{name}", names)
    sys.modules["plenoptic"] = Names(
        "plenoptic",
        {
            **{name: sys.modules[f"plenoptic.{name}"] for name in parts},
            **syntheses.CLASSES,
            "remove_grad": remove_grad,
            "load_images": images.load_images,
            "to_numpy": images.to_numpy,
            "convert_float_to_int": images.convert_float_to_int,
            "set_seed": set_seed,
            "__version__": "2.2.0",
        },
    )
    for module, private in _PRIVATE.items():
        stubs = {name: _private(f"{module}.{name}") for name in private}
        sys.modules[f"plenoptic.{module}"] = Names(f"plenoptic.{module}", stubs)
    for name in ("timm", "timm.data", "timm.data.transforms_factory", "torchvision"):
        sys.modules[name] = Absent(name)
    # A fixture of nearly all tests makes a network, which few use.
    sys.modules["timm"].__dict__["create_model"] = lambda *_, **__: _Absent("a network of timm")


def _private(name: str) -> Any:
    def missing(*_: Any, **__: Any) -> Any:
        raise NotOffered(f"plenoptic.{name}")

    return missing


#: Names that are not public and that the tests import.
_PRIVATE = {
    "tensors": ["_check_tensor_equality"],
    "_synthesize": ["autodiff"],
    "_api_change": ["API_CHANGE"],
}
_PLOTS = {
    **{name: made for name, made in vars(drawing).items() if callable(made) and name[0] != "_"},
    "imshow": plots.imshow,
    "animshow": plots.animshow,
    "pyrshow": plots.pyrshow,
    "stem_plot": plots.clean_stem_plot,
    "histogram": plots.histogram,
    "synthesis_histogram": drawing.unwrapped(plots.plot_pixel_values),
    "mad_imshow_all": drawing.unwrapped(plots.display_mad_image_all),
    "mad_loss_all": drawing.unwrapped(plots.plot_loss_all),
    "metamer_representation_error": drawing.unwrapped(plots.plot_representation_error),
}
