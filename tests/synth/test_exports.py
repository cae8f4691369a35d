"""What can be imported from where: a name that is missing or new shows up here."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import stimsynth
from stimuli_store.tools.lazy import lazy_names

MODELS = """Balanced balanced_by_sensitivity balanced_by_target balanced_over_images
CenterSurround ColorPortillaSimoncelli FoveatedPooling Gaussian Identity Linear LinearNonlinear
LuminanceContrastGainControl LuminanceGainControl OnOff PortillaSimoncelli UniformPooling features"""
CHECKS = """remove_grad validate_allowed_range validate_coarse_to_fine validate_input validate_metric
validate_model validate_penalty"""
METHODS = """Eigendistortion Geodesic LoadWarning MADCompetition Metamer MetamerCTF MetamerObjective
OptimizedImage OptimizedSynthesis Profile SimpleMetamer environment examine_saved_synthesis
fisher_info_matrix_eigenvalue fisher_info_matrix_vector_product linear_metamer mad_set profile"""
NAMES = {
    "stimsynth": f"""MODELS checked_output convergence images losses metrics models set_seed
        transforms validate
        {METHODS} {MODELS} {CHECKS}""",
    "stimsynth.convergence": "coarse_to_fine_enough loss_convergence pixel_change_convergence",
    "stimsynth.images": """DOWNLOADS Download Picture STIMULI bars bundled checkerboard
        convert_float_to_int dead_leaves fetch_data get get_path grating load load_images load_picture
        make_synthetic_stimuli pink_noise plaid polar_angle polar_radius save save_images to_numpy
        uniform_noise voronoi""",
    "stimsynth.losses": """channel_logsumexp l2_norm mse penalize_range penalize_roughness
        relative_MSE relative_sse""",
    "stimsynth.metrics": """NLP model_distance ms_ssim mse nlpd normalized_laplacian_pyramid ssim
        ssim_map""",
    "stimsynth.models": f"MODELS {MODELS}",
    "stimsynth.transforms": """LaplacianPyramid LogPolar SteerablePyramidFreq add_noise
        autocorrelation blur_downsample center_crop circular_gaussian2d correlate_downsample
        deviation_from_line expand gaussian1d harmonic_matrix interpolate1d kurtosis local_gain_control
        local_gain_control_dict local_gain_release local_gain_release_dict make_disk
        make_straight_line maximum minimum modulate_phase polar_to_rectangular
        polar_to_rectangular_dict raised_cosine rectangular_to_polar rectangular_to_polar_dict rescale
        same_padding sample_brownian_bridge shrink skew split_orientations stack_orientations steer
        steering_weights translation_sequence upsample_blur upsample_convolve variance
        window_averages""",
    "stimsynth.validate": f"checked_output {CHECKS}",
}


HERE = Path(__file__).parents[2]
ROOTS = ("analysis", "experiments", "stimsynth", "stimuli_store")
PACKAGES = [
    ".".join(path.parent.relative_to(HERE).parts)
    for root in ROOTS
    for path in sorted((HERE / root).rglob("__init__.py"))
    if "lazy_names(__name__)" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("home", NAMES)
def test_public_names_are_these_and_can_be_had(home: str) -> None:
    module = importlib.import_module(home)
    assert sorted(module.__all__) == sorted(NAMES[home].split())
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("package", PACKAGES)
def test_what_type_checkers_see_is_what_there_is(package: str) -> None:
    """Names are those of the block for type checkers, each from the module that it names."""
    module = importlib.import_module(package)
    source = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    seen: dict[str, object] = {}
    for node in ast.walk(source):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in ROOTS:
            scope: dict[str, object] = {}
            exec(ast.unparse(node), scope)
            seen |= {name: value for name, value in scope.items() if name != "__builtins__"}
    assert seen.pop("lazy_names") is lazy_names
    assert sorted(seen) == sorted(module.__all__)
    assert all(getattr(module, name) is value for name, value in seen.items())


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_takes_the_place_of_a_function_of_its_name(package: str) -> None:
    module = importlib.import_module(package)
    modules = {found.name for found in pkgutil.iter_modules(module.__path__)}
    functions = {name for name in module.__all__ if not inspect.ismodule(getattr(module, name))}
    assert modules & functions == set()


def test_every_model_is_exported_and_found_by_name() -> None:
    from stimsynth.models import MODELS as by_name

    assert all(getattr(stimsynth, name) is model for name, model in by_name.items())


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Metamers'"):
        _ = stimsynth.Metamers  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="fit_psychometrics"):
        from analysis import fit_psychometrics  # type: ignore[attr-defined] # noqa: F401
