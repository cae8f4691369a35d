"""Synthesis of stimuli from any torch model.

The names below are loaded when first used, so that a machine without torch can import this package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_MODULES = ("convergence", "images", "losses", "metrics", "models", "transforms", "validate")
_HOMES = {
    "stimsynth.methods.coarse_to_fine": ("MetamerCTF",),
    "stimsynth.methods.base.saving": ("examine_saved_synthesis",),
    "stimsynth.methods.eigendistortion": ("Eigendistortion",),
    "stimsynth.methods.eigen.fisher": (
        "fisher_info_matrix_eigenvalue",
        "fisher_info_matrix_vector_product",
    ),
    "stimsynth.methods.geodesic": ("Geodesic",),
    "stimsynth.methods.linear_metamer": ("linear_metamer",),
    "stimsynth.methods.mad": ("MADCompetition",),
    "stimsynth.methods.mad_set": ("mad_set",),
    "stimsynth.methods.metamer": ("Metamer",),
    "stimsynth.models": (
        "Balanced",
        "CenterSurround",
        "ColorPortillaSimoncelli",
        "FoveatedPooling",
        "Gaussian",
        "Identity",
        "Linear",
        "LinearNonlinear",
        "LuminanceContrastGainControl",
        "LuminanceGainControl",
        "OnOff",
        "PortillaSimoncelli",
        "UniformPooling",
        "balanced_by_sensitivity",
        "balanced_by_target",
        "balanced_over_images",
        "features",
    ),
    "stimsynth.methods.optimized_image": ("OptimizedImage",),
    "stimsynth.methods.simple_metamer": ("SimpleMetamer",),
    "stimsynth.profiling": ("Profile", "profile"),
    "stimsynth.seeding": ("set_seed",),
    "stimsynth.validate": (
        "remove_grad",
        "validate_allowed_range",
        "validate_coarse_to_fine",
        "validate_input",
        "validate_metric",
        "validate_model",
        "validate_penalty",
    ),
    "stimuli_store.tools.environment": ("environment",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

if TYPE_CHECKING:
    from stimsynth import convergence, images, losses, metrics, models, transforms, validate
    from stimsynth.methods.base.saving import examine_saved_synthesis
    from stimsynth.methods.coarse_to_fine import MetamerCTF
    from stimsynth.methods.eigen.fisher import (
        fisher_info_matrix_eigenvalue,
        fisher_info_matrix_vector_product,
    )
    from stimsynth.methods.eigendistortion import Eigendistortion
    from stimsynth.methods.geodesic import Geodesic
    from stimsynth.methods.linear_metamer import linear_metamer
    from stimsynth.methods.mad import MADCompetition
    from stimsynth.methods.mad_set import mad_set
    from stimsynth.methods.metamer import Metamer
    from stimsynth.methods.optimized_image import OptimizedImage
    from stimsynth.methods.simple_metamer import SimpleMetamer
    from stimsynth.models import (
        Balanced,
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
        balanced_by_sensitivity,
        balanced_by_target,
        balanced_over_images,
        features,
    )
    from stimsynth.profiling import Profile, profile
    from stimsynth.seeding import set_seed
    from stimsynth.validate import (
        remove_grad,
        validate_allowed_range,
        validate_coarse_to_fine,
        validate_input,
        validate_metric,
        validate_model,
        validate_penalty,
    )
    from stimuli_store.tools.environment import environment

__all__ = [
    "Balanced",
    "CenterSurround",
    "ColorPortillaSimoncelli",
    "Eigendistortion",
    "FoveatedPooling",
    "Gaussian",
    "Geodesic",
    "Identity",
    "Linear",
    "LinearNonlinear",
    "LuminanceContrastGainControl",
    "LuminanceGainControl",
    "MADCompetition",
    "Metamer",
    "MetamerCTF",
    "OnOff",
    "OptimizedImage",
    "PortillaSimoncelli",
    "Profile",
    "SimpleMetamer",
    "UniformPooling",
    "balanced_by_sensitivity",
    "balanced_by_target",
    "balanced_over_images",
    "convergence",
    "environment",
    "examine_saved_synthesis",
    "features",
    "fisher_info_matrix_eigenvalue",
    "fisher_info_matrix_vector_product",
    "images",
    "linear_metamer",
    "losses",
    "mad_set",
    "metrics",
    "models",
    "profile",
    "remove_grad",
    "set_seed",
    "transforms",
    "validate",
    "validate_allowed_range",
    "validate_coarse_to_fine",
    "validate_input",
    "validate_metric",
    "validate_model",
    "validate_penalty",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"stimsynth.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'stimsynth' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
