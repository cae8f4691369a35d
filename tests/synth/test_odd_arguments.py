"""Odd arguments of public functions: one sentence, or a result, but never an error of Python's or torch's."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stimsynth import (
    Geodesic,
    MADCompetition,
    MetamerCTF,
    OptimizedImage,
    images,
    losses,
    metrics,
    models,
    remove_grad,
    transforms,
    validate_coarse_to_fine,
    validate_input,
    validate_model,
)
from stimuli_store.errors import InputError, StimsynthError

ODD = [None, -1, 1.5, True, "x", "", float("nan"), b"x", object(), [], ["a", 3], {"a": 1}]
ODD += [
    1e300,
    10**30,
    float("inf"),
    np.ones(3),
    np.array(["a"]),
    torch.zeros(0),
    torch.zeros(1, 1, 16, 16) + 0j,
    nn.ReLU,
]

A, B = (images.load(name, size=16) for name in ("camera", "grass"))
REAL = transforms.SteerablePyramidFreq((16, 16), 1, order=1)
BANDS = REAL(A)
APART = transforms.split_orientations(BANDS)
COMPLEX = transforms.split_orientations(
    transforms.SteerablePyramidFreq((16, 16), 1, order=1, is_complex=True)(A)
)
LAPLACIAN = transforms.LaplacianPyramid(2)
WINDOWS = transforms.LogPolar(image_shape=(16, 16), ppd=4)
FILTER = torch.ones(3, 3) / 9
BLUR = remove_grad(models.Gaussian(5))
TEXTURE = models.PortillaSimoncelli((16, 16), 1, 2, 3)
NET = remove_grad(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()))
SEQUENCE = transforms.make_straight_line(A, B, 2)
ENERGY, STATE = transforms.local_gain_control_dict(APART)
AMPLITUDE, PHASE = transforms.rectangular_to_polar_dict(COMPLEX)
NORM, DIRECTION = transforms.local_gain_control(A)


def difference(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).abs().mean()


Row = tuple[Callable[..., Any], Mapping[str, Any]]
MOMENT = {"x": A, "mean": None, "dim": None, "keepdim": False}
PAIR = {"synth_rep": A, "ref_rep": B}
LIKE = {"dtype": torch.float32, "device": "cpu"}
FRONT = {"kernel_size": 5, "on_center": True, "amplitude_ratio": 1.25, "pretrained": False}
TRANSFORMS: dict[str, Row] = {
    "reconstruction": (
        REAL.recon_pyr,
        {"pyr_coeffs": BANDS, "levels": "all", "bands": "all"},
    ),
    "Laplacian reconstruction": (LAPLACIAN.recon_pyr, {"y": LAPLACIAN(A)}),
    "LogPolar": (
        transforms.LogPolar,
        {
            "image_shape": (16, 16),
            "ppd": 4.0,
            "scaling": 0.5,
            "min_ecc": 0.5,
            "max_ecc": None,
            "fixation": None,
            "window_type": "raised_cosine",
            "aspect": 2.0,
        },
    ),
    "window_averages": (transforms.window_averages, {"layout": WINDOWS, "grid": None, **LIKE}),
    "SteerablePyramidFreq": (
        transforms.SteerablePyramidFreq,
        {
            "image_shape": (16, 16),
            "height": 1,
            "order": 1,
            "twidth": 1,
            "is_complex": False,
            "downsample": True,
            "tight_frame": False,
        },
    ),
    "add_noise": (transforms.add_noise, {"img": A, "noise_mse": 0.1, "generator": None}),
    "blur_downsample": (
        transforms.blur_downsample,
        {"x": A, "n_scales": 1, "filtname": "binom5", "scale_filter": True},
    ),
    "upsample_blur": (
        transforms.upsample_blur,
        {"x": A, "odd": (0, 0), "n_scales": 1, "filtname": "binom5", "scale_filter": True},
    ),
    "upsample_convolve": (
        transforms.upsample_convolve,
        {"image": A, "odd": (0, 0), "filt": FILTER, "padding_mode": "reflect"},
    ),
    "correlate_downsample": (
        transforms.correlate_downsample,
        {"image": A, "filt": FILTER, "padding_mode": "reflect"},
    ),
    "center_crop": (transforms.center_crop, {"x": A, "output_size": 4}),
    "circular_gaussian2d": (
        transforms.circular_gaussian2d,
        {"kernel_size": 5, "std": 1.0, "out_channels": 1},
    ),
    "gaussian1d": (transforms.gaussian1d, {"kernel_size": 5, "std": 1.0}),
    "expand": (transforms.expand, {"x": A, "factor": 2}),
    "shrink": (transforms.shrink, {"x": A, "factor": 2}),
    "autocorrelation": (transforms.autocorrelation, {"x": A}),
    "harmonic_matrix": (
        transforms.harmonic_matrix,
        {"harmonics": [0, 1], "angles": None, "even_phase": True},
    ),
    "steer": (
        transforms.steer,
        {
            "basis": torch.rand(1, 1, 4, 4, 2),
            "angle": 0.3,
            "harmonics": None,
            "steermtx": None,
            "return_weights": False,
            "even_phase": True,
        },
    ),
    "steering_weights": (
        transforms.steering_weights,
        {"angles": 0.3, "n_basis": 2, "harmonics": None, "steermtx": None, "even_phase": True},
    ),
    "interpolate1d": (
        transforms.interpolate1d,
        {"x_new": torch.rand(4), "Y": np.arange(3.0), "X": np.arange(3.0)},
    ),
    "variance": (transforms.variance, MOMENT),
    "skew": (transforms.skew, {**MOMENT, "var": None}),
    "kurtosis": (transforms.kurtosis, {**MOMENT, "var": None}),
    "maximum": (transforms.maximum, {"x": A, "dim": None, "keepdim": False}),
    "local_gain_control": (transforms.local_gain_control, {"x": A, "epsilon": 1e-8}),
    "local_gain_release": (
        transforms.local_gain_release,
        {"norm": NORM, "direction": DIRECTION, "epsilon": 1e-8},
    ),
    "local_gain_control_dict": (
        transforms.local_gain_control_dict,
        {"coeff_dict": APART, "residuals": True},
    ),
    "local_gain_release_dict": (
        transforms.local_gain_release_dict,
        {"energy": ENERGY, "state": STATE, "residuals": True},
    ),
    "rectangular_to_polar_dict": (
        transforms.rectangular_to_polar_dict,
        {"coeff_dict": COMPLEX, "residuals": True},
    ),
    "polar_to_rectangular_dict": (
        transforms.polar_to_rectangular_dict,
        {"energy": AMPLITUDE, "state": PHASE, "residuals": True},
    ),
    "polar_to_rectangular": (transforms.polar_to_rectangular, {"amplitude": A, "phase": B}),
    "modulate_phase": (transforms.modulate_phase, {"x": A + 0j, "phase_factor": 2.0}),
    "make_disk": (
        transforms.make_disk,
        {"img_size": 8, "outer_radius": None, "inner_radius": None, **LIKE},
    ),
    "raised_cosine": (transforms.raised_cosine, {"width": 1, "position": 0, "values": (0, 1)}),
    "rescale": (transforms.rescale, {"x": A, "a": 0.0, "b": 1.0}),
    "same_padding": (transforms.same_padding, {"x": A, "kernel_size": 3, "pad_mode": "circular"}),
    "sample_brownian_bridge": (
        transforms.sample_brownian_bridge,
        {"start": A, "stop": B, "n_steps": 2, "max_norm": 1, "generator": None},
    ),
    "split_orientations": (transforms.split_orientations, {"pyr_coeffs": BANDS}),
    "stack_orientations": (transforms.stack_orientations, {"pyr_coeffs": APART}),
    "deviation_from_line": (
        transforms.deviation_from_line,
        {"sequence": SEQUENCE, "normalize": True},
    ),
}
MODELS: dict[str, Row] = {
    "CenterSurround": (
        models.CenterSurround,
        {"kernel_size": 5, "on_center": True, "center_std": 1.0, "surround_std": 4.0},
    ),
    "Gaussian": (models.Gaussian, {"kernel_size": 5, "std": 1.0, "out_channels": 1}),
    "Linear": (models.Linear, {"kernel_size": 3, "default_filters": True, "seed": 0}),
    "LuminanceGainControl": (models.LuminanceGainControl, {**FRONT, "pad_mode": "reflect"}),
    "PortillaSimoncelli": (
        models.PortillaSimoncelli,
        {
            "image_shape": (16, 16),
            "n_scales": 1,
            "n_orientations": 2,
            "spatial_corr_width": 3,
            "leave_out": (),
            "magnitude_means": False,
            "mask": None,
            "target": None,
            "mixture": None,
        },
    ),
    "dictionary of statistics": (
        lambda tensor: TEXTURE.convert_to_dict(tensor),
        {"tensor": TEXTURE(A)},
    ),
    "ColorPortillaSimoncelli": (
        lambda basis: models.ColorPortillaSimoncelli((16, 16), 1, 2, 3, basis=basis),
        {"basis": None},
    ),
    "FoveatedPooling": (
        models.FoveatedPooling,
        {
            "image_shape": (16, 16),
            "statistics": "luminance",
            "ppd": 4.0,
            "scaling": 0.5,
            "min_ecc": 0.5,
            "max_ecc": None,
            "fixation": None,
            "window_type": "raised_cosine",
            "aspect": 2.0,
        },
    ),
    "UniformPooling": (models.UniformPooling, {"window_px": 8.0, "n_scales": 1}),
    "Balanced": (
        models.Balanced,
        {"model": BLUR, "shift": torch.zeros(1), "scale": torch.ones(1)},
    ),
    "balanced_by_sensitivity": (
        models.balanced_by_sensitivity,
        {"model": BLUR, "target": A, "power": 0.75, "n_probes": 1, "floor": 1e-3, "seed": 0},
    ),
    "balanced_by_target": (models.balanced_by_target, {"model": BLUR, "target": A, "floor": 0.1}),
    "features": (
        models.features,
        {
            "module": NET,
            "layer": "1",
            "preprocess": None,
            "channels": 1,
            "mean": None,
            "std": None,
            "size": None,
        },
    ),
    "remove_grad": (remove_grad, {"model": BLUR}),
    "validate_model": (
        validate_model,
        {
            "model": BLUR,
            "image_shape": (1, 1, 16, 16),
            "image_dtype": torch.float32,
            "device": "cpu",
        },
    ),
    "validate_coarse_to_fine": (
        validate_coarse_to_fine,
        {"model": TEXTURE, "image_shape": (1, 1, 16, 16), "device": "cpu"},
    ),
    "validate_input": (validate_input, {"input_tensor": A, "no_batch": False}),
    "ssim": (metrics.ssim, {"img1": A, "img2": B, "weighted": False, "pad": False}),
    "ms_ssim": (metrics.ms_ssim, {"img1": A, "img2": B, "power_factors": [1.0]}),
    "correlate_with_scores": (
        metrics.correlate_with_scores,
        {"metrics": {"mse": metrics.mse}, "rated": []},
    ),
    "channel_logsumexp": (losses.channel_logsumexp, {"sharpness": 1.0}),
    "a loss of groups": (
        losses.groupwise_relative_l2_norm_factory,
        {"model": TEXTURE, "image": A, "reweighting_dict": None},
    ),
    "l2_norm": (losses.l2_norm, PAIR),
    "relative_sse": (losses.relative_sse, PAIR),
    "MetamerCTF": (
        lambda coarse_to_fine: MetamerCTF(A, TEXTURE, coarse_to_fine=coarse_to_fine),
        {"coarse_to_fine": "together"},
    ),
    "OptimizedImage": (
        OptimizedImage,
        {
            "initial_image": A,
            "objective": torch.mean,
            "minmax": "min",
            "held": None,
            "penalties": None,
        },
    ),
    "MADCompetition": (
        lambda **given: MADCompetition(A, metrics.mse, difference, **given),
        {"minmax": "min", "initial_noise": 0.1, "metric_tradeoff_lambda": None},
    ),
    "Geodesic": (
        lambda initial_sequence: Geodesic(A, B, BLUR, 3, initial_sequence),
        {"initial_sequence": "straight"},
    ),
}
KIND = {"dtype": torch.float32}
IMAGES: dict[str, Row] = {
    "grating": (
        images.grating,
        {
            "size": 8,
            "cycles_per_image": 2.0,
            "direction_deg": 0.0,
            "phase_deg": 0.0,
            "contrast": 1.0,
            "mean": 0.5,
            "waveform": "sine",
            **KIND,
        },
    ),
    "plaid": (
        images.plaid,
        {
            "size": 8,
            "cycles_per_image": 2.0,
            "directions_deg": (45.0, 135.0),
            "phases_deg": (0.0, 0.0),
            "contrasts": (0.5, 0.5),
            "mean": 0.5,
            **KIND,
        },
    ),
    "bars": (
        images.bars,
        {"size": 8, "bar_px": 2.0, "period_px": 4.0, "direction_deg": 0.0, **KIND},
    ),
    "checkerboard": (images.checkerboard, {"size": 8, "check_px": 2, **KIND}),
    "dead_leaves": (
        images.dead_leaves,
        {"size": 8, "min_radius_px": 2.0, "max_radius_px": 8.0, "exponent": 3.0, "seed": 0, **KIND},
    ),
    "scattered_shapes": (
        images.scattered_shapes,
        {
            "size": 8,
            "shape": "square",
            "side_px": 2.0,
            "spacing_px": 4.0,
            "direction_deg": 0.0,
            "seed": 0,
            **KIND,
        },
    ),
    "isotrigon": (images.isotrigon, {"size": 8, "product": 1, "seed": 0, **KIND}),
    "voronoi": (images.voronoi, {"size": 8, "cells": 4, "seed": 0, **KIND}),
    "pink_noise": (images.pink_noise, {"size": 8, "exponent": 1.0, "seed": 0, **KIND}),
    "uniform_noise": (
        images.uniform_noise,
        {"shape": (1, 1, 4, 4), "seed": 0, "allowed_range": (0, 1), **KIND},
    ),
    "polar_angle": (
        images.polar_angle,
        {"size": 8, "phase": 0.0, "origin": None, "direction": "clockwise", **LIKE},
    ),
    "polar_radius": (images.polar_radius, {"size": 8, "exponent": 1.0, "origin": None, **LIKE}),
    "make_synthetic_stimuli": (
        images.make_synthetic_stimuli,
        {"size": 32, "requires_grad": True, "seed": 0},
    ),
    "convert_float_to_int": (
        images.convert_float_to_int,
        {"im": np.zeros((2, 2)), "dtype": np.uint8},
    ),
    "to_numpy": (images.to_numpy, {"x": A, "squeeze": False}),
    "get_path": (images.get_path, {"item_name": "camera"}),
    "load": (images.load, {"name_or_path": "camera", "size": 8, "as_gray": True}),
    "load_images": (
        images.load_images,
        {"paths": images.get_path("camera"), "as_gray": True, "sorted_key": None},
    ),
    "load_tid2013": (images.load_tid2013, {"folder": "no such folder"}),
    "fetch_data": (images.fetch_data, {"dataset_name": "nothing"}),
}
ROWS = {**TRANSFORMS, **MODELS, **IMAGES}
WITHOUT_A_RESULT = ("correlate_with_scores", "load_tid2013", "fetch_data")


@pytest.mark.filterwarnings("ignore")  # of odd values that may be taken
@pytest.mark.parametrize("name", ROWS)
def test_an_odd_argument_is_refused_in_a_sentence_or_taken(name: str) -> None:
    function, good = ROWS[name]
    if name not in WITHOUT_A_RESULT:
        function(**good)
    for argument in good:
        for value in ODD:
            try:
                function(**{**good, argument: value})
            except StimsynthError as said:
                assert "\n" not in str(said), (argument, value)
            except Exception as error:
                raise AssertionError(f"{argument}={value!r} ended in {error!r}") from error


TAKES_TENSORS = ("autocorrelation", "blur_downsample", "kurtosis", "local_gain_control", "rescale")


@pytest.mark.parametrize("name", TAKES_TENSORS)
def test_tensors_that_torch_only_stores_are_refused(name: str) -> None:
    function, good = TRANSFORMS[name]
    for odd in (A.to(torch.float8_e4m3fn), A.to_sparse()):
        with pytest.raises(InputError, match="a dense tensor of a type that torch computes with"):
            function(**{**good, "x": odd})


def test_numbers_keep_their_precision() -> None:
    weights = transforms.steering_weights(0.1, 2)
    assert weights.dtype == torch.float64
    assert weights[0].item() == pytest.approx(np.cos(0.1), abs=1e-15)
    assert transforms.gaussian1d(5, np.float64(1.5)).dtype == torch.float64
    assert transforms.gaussian1d(5, 1.5).dtype == torch.float32
