"""What can be imported from where: a name that is missing or new shows up here."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import stimsynth
from stimuli_store.errors import installation

MODELS = """Balanced balanced_by_sensitivity balanced_by_target balanced_over_images
CenterSurround ColorPortillaSimoncelli FoveatedPooling Gaussian Identity Linear LinearNonlinear
LuminanceContrastGainControl LuminanceGainControl OnOff PortillaSimoncelli UniformPooling features"""
CHECKS = """remove_grad validate_allowed_range validate_coarse_to_fine validate_input validate_metric
validate_model validate_penalty"""
METHODS = """Eigendistortion Geodesic LoadWarning MADCompetition Metamer MetamerCTF MetamerObjective
OptimizedImage OptimizedSynthesis Profile SimpleMetamer environment examine_saved_synthesis
fisher_info_matrix_eigenvalue fisher_info_matrix_vector_product linear_metamer mad_set profile"""
#: Along the road, each in its own package and at the front door.
OTHERS = " ".join(
    name
    for package in ("stimuli_store", "experiments", "analysis", "analysis.plots")
    for name in importlib.import_module(package).__all__
)
NAMES = {
    "stimsynth": f"""MODELS build checked_output convergence images losses metrics models plots read_plan
        set_seed transforms validate InputError {OTHERS}
        {METHODS} {MODELS} {CHECKS}""",
    "stimsynth.convergence": "coarse_to_fine_enough loss_convergence pixel_change_convergence",
    "stimsynth.images": """DOWNLOADS Download Picture RatedImages STIMULI bars bundled checkerboard
        convert_float_to_int dead_leaves fetch_data get get_path grating isotrigon load load_images
        load_picture load_tid2013 make_synthetic_stimuli pink_noise plaid polar_angle polar_radius save
        save_images scattered_shapes to_numpy uniform_noise voronoi""",
    "stimsynth.losses": """channel_logsumexp l2_norm mse penalize_range penalize_roughness
        groupwise_relative_l2_norm_factory portilla_simoncelli_loss_factory relative_MSE
        relative_sse""",
    "stimsynth.metrics": """Agreement NLP correlate_with_scores model_distance ms_ssim mse
        nlpd normalized_laplacian_pyramid ssim ssim_map""",
    "stimsynth.models": f"MODELS {MODELS}",
    "stimsynth.transforms": """LaplacianPyramid LogPolar SteerablePyramidFreq add_noise
        autocorrelation blur_downsample
        center_crop circular_gaussian2d correlate_downsample deviation_from_line
        discrete_curvature expand gaussian1d harmonic_matrix interpolate1d kurtosis
        local_gain_control local_gain_control_dict local_gain_release local_gain_release_dict
        make_disk make_straight_line maximum minimum modulate_phase polar_to_rectangular
        polar_to_rectangular_dict raised_cosine rectangular_to_polar rectangular_to_polar_dict
        rescale same_padding sample_brownian_bridge shrink skew split_orientations
        stack_orientations steer steering_weights translation_sequence upsample_blur
        upsample_convolve variance window_averages""",
    "stimsynth.validate": f"checked_output {CHECKS}",
}


HERE = Path(__file__).parents[2]
ROOTS = ("analysis", "experiments", "stimsynth", "stimuli_store")
PACKAGES = [
    ".".join(path.parent.relative_to(HERE).parts)
    for root in ROOTS
    for path in sorted((HERE / root).rglob("__init__.py"))
    if "= lazy_names(__name__" in path.read_text(encoding="utf-8")
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
    """Every name of the block for type checkers is exported, and comes from the module named there."""
    module = importlib.import_module(package)
    source = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    (block,) = (node for node in source.body if isinstance(node, ast.If))
    seen: dict[str, object] = {}
    for node in block.body:
        scope: dict[str, object] = {}
        exec(ast.unparse(node), scope)
        seen |= {name: value for name, value in scope.items() if name != "__builtins__"}
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


#: Lines with a name that is not there, each with words of the answer.
WRONG = {
    "stimsynth.Metamers": "no attribute 'Metamers'; did you mean 'Metamer'?",
    "from stimsynth import Metamers": "did you mean 'Metamer'?",
    "from stimsynth import open_bank, read_dessign": "did you mean 'read_design'?",
    "from analysis import fit_psychometrics": "did you mean 'fit_psychometric'?",
    "from stimsynth.plots import imshoww": "did you mean 'imshow'?",
    "stimsynth.transforms.make_dsk": "did you mean 'make_disk'?",
    "import stimsynth.nothing_like_it": "no attribute 'nothing_like_it'",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_misspelt_name_gets_the_nearest(line: str) -> None:
    """An AttributeError, since `hasattr` must work, or an ImportError, where Python raises one."""
    kind = ImportError if "import" in line else AttributeError
    with pytest.raises(kind) as caught:
        exec(line, {"stimsynth": stimsynth})
    assert WRONG[line] in str(caught.value)


def test_what_needs_a_missing_package_names_the_extra() -> None:
    code = """
import sys
sys.modules.update(dict.fromkeys(["torch", "pandas"]))
import stimsynth
for name in ("Metamer", "read_trials"):
    try:
        getattr(stimsynth, name)
    except stimsynth.StimsynthError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"Metamer needs torch, which this machine lacks; {installation('synth')}",
        f"read_trials needs pandas, which this machine lacks; {installation('analysis')}",
    ]
