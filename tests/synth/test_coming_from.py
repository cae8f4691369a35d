"""Names of plenoptic are errors that say where they are here, and there they are."""

import importlib
import re

import pytest

import stimsynth

#: Public names of plenoptic 1.x (its documentation) and 2.x (its ``__init__`` files), by module.
THEIRS = {
    "": "imshow animshow pyrshow to_numpy load_images convert_float_to_int convert_anim_to_html",
    "data": "fetch_data polar_radius polar_angle disk DOWNLOADABLE_FILES get get_path",
    "data.data_utils": "get get_path",
    "external": "plot_MAD_results",
    "io": "examine_saved_synthesis LoadWarning",
    "loss": "mse l2_norm relative_sse",
    "metric": "mse ssim ssim_map ms_ssim nlpd normalized_laplacian_pyramid model_metric_factory",
    "metric.classes": "NLP",
    "metric.perceptual_distance": "ssim ssim_map",
    "plot": """imshow animshow pyrshow stem_plot update_plot plot_representation histogram
        eigendistortion_imshow_all mad_imshow_all mad_loss_all metamer_representation_error synthesis_loss
        synthesis_histogram synthesis_imshow synthesis_status synthesis_animate""",
    "process": """circular_gaussian2d LaplacianPyramid rectangular_to_polar_dict
        polar_to_rectangular_dict local_gain_control local_gain_control_dict local_gain_release
        local_gain_release_dict SteerablePyramidFreq correlate_downsample upsample_convolve
        blur_downsample upsample_blur same_padding rescale rectangular_to_polar polar_to_rectangular
        add_noise modulate_phase autocorrelation center_crop expand shrink variance skew kurtosis
        normalized_laplacian_pyramid ssim_map""",
    "regularize": "penalize_range",
    "simul": """Gaussian CenterSurround Identity Linear LinearNonlinear OnOff LuminanceGainControl
        LuminanceContrastGainControl PortillaSimoncelli SteerablePyramidFreq LaplacianPyramid""",
    "simulate.canonical_computations.filters": "circular_gaussian2d gaussian1d",
    "simulate.models.frontend": "OnOff",
    "synth": "Metamer MetamerCTF MADCompetition Eigendistortion Geodesic SimpleMetamer",
    "synth.metamer": """plot_loss display_metamer plot_pixel_values plot_representation_error animate
        plot_synthesis_status""",
    "synth.mad_competition": "display_mad_image display_mad_image_all plot_loss_all",
    "synthesize.eigendistortion": """display_eigendistortion fisher_info_matrix_eigenvalue
        fisher_info_matrix_vector_product""",
    "synthesize.geodesic": "plot_deviation_from_line plot_loss",
    "synthesize.autodiff": "jacobian jacobian_vector_product vector_jacobian_product",
    "synthesize.synthesis": "Synthesis OptimizedSynthesis",
    "tools": """make_disk make_synthetic_stimuli polar_angle set_seed remove_grad l2_norm relative_MSE
        add_noise convert_anim_to_html clean_stem_plot clean_up_axes rescale_ylim update_stem
        interpolate1d raised_cosine maximum minimum steer validate_model validate_metric
        translation_sequence sample_brownian_bridge make_straight_line deviation_from_line
        loss_convergence pixel_change_convergence coarse_to_fine_enough examine_saved_synthesis""",
    "tools.display": "imshow plot_representation",
}


@pytest.mark.parametrize("module", THEIRS)
def test_each_name_is_answered_with_a_place_where_it_is(module: str) -> None:
    for name in THEIRS[module].split():
        words = ".".join(filter(None, ("stimsynth", module, name)))
        with pytest.raises(AttributeError, match="here it is") as caught:
            eval(words)
        (place,) = re.findall(r"here it is (\S+)$", str(caught.value))
        home, _, last = place.rpartition(".")
        assert hasattr(importlib.import_module(home), last), place


def test_the_same_in_imports() -> None:
    with pytest.raises(ImportError, match=r"here it is stimsynth\.metrics\.ssim"):
        exec("from stimsynth.metric import ssim")
    with pytest.raises(ImportError, match=r"here it is stimsynth\.images\.load_images"):
        exec("from stimsynth import load_images")
    from stimsynth import synth  # type: ignore[attr-defined]

    assert "here they are in stimsynth" in repr(synth)


def test_photographs_and_names_that_are_nowhere() -> None:
    with pytest.raises(AttributeError, match="the photographs here are others"):
        _ = stimsynth.data.einstein  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"plenoptic's tools\.nothing is not here"):
        _ = stimsynth.tools.nothing  # type: ignore[attr-defined]
    assert not hasattr(stimsynth, "nothing")
    assert not hasattr(stimsynth, "__wrapped__")


def test_the_version_can_be_asked() -> None:
    assert stimsynth.__version__ == stimsynth.environment()["stimsynth"]  # type: ignore[attr-defined]
