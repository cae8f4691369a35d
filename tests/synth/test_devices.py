"""Tools stay on the device and in the type of what they are given."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from stimsynth import losses, metrics
from stimsynth.transforms.fourier_resampling import autocorrelation, expand, shrink
from stimsynth.transforms.gain_control import local_gain_control, local_gain_release
from stimsynth.transforms.masks import interpolate1d, make_disk, raised_cosine
from stimsynth.transforms.padding import same_padding
from stimsynth.transforms.polar import modulate_phase, polar_to_rectangular, rectangular_to_polar
from stimsynth.transforms.pyramids.steering import steer
from stimsynth.transforms.sequences import (
    deviation_from_line,
    make_straight_line,
    sample_brownian_bridge,
    translation_sequence,
)
from stimsynth.transforms.signal import add_noise, center_crop, maximum, rescale
from stimsynth.transforms.statistics import kurtosis, skew, variance

REAL: dict[str, Callable[[Tensor], Tensor | tuple[Tensor, Tensor]]] = {
    "add_noise": lambda x: add_noise(x, [2.0, 3.0]),
    "autocorrelation": autocorrelation,
    "center_crop": lambda x: center_crop(x, 3),
    "deviation_from_line": lambda x: deviation_from_line(x.reshape(2, -1)),
    "expand": lambda x: expand(x, 1.5),
    "interpolate1d": lambda x: interpolate1d(x, *reversed(raised_cosine())),
    "kurtosis": lambda x: kurtosis(x, 0.0, dim=(-2, -1)),
    "l2_norm": lambda x: losses.l2_norm(x, x),
    "local_gain": lambda x: local_gain_release(*local_gain_control(x)),
    "make_disk": lambda x: make_disk(8, dtype=x.dtype, device=x.device),
    "make_straight_line": lambda x: make_straight_line(x, x + 1, 3),
    "maximum": maximum,
    "model_distance": lambda x: metrics.model_distance(torch.nn.Identity())(x, x),
    "mse": lambda x: metrics.mse(x, x),
    "penalize_range": losses.penalize_range,
    "polar": lambda x: rectangular_to_polar(polar_to_rectangular(x.abs(), x)),
    "relative_MSE": lambda x: losses.relative_MSE(x, x),
    "rescale": rescale,
    "same_padding": lambda x: same_padding(x, 4),
    "sample_brownian_bridge": lambda x: sample_brownian_bridge(x, x + 1, 3),
    "shrink": lambda x: shrink(x, 2),
    "skew": lambda x: skew(x, var=2.0),
    "steer": lambda x: steer(x, 0.3, return_weights=True),
    "steer to many": lambda x: steer(x, [0.3, 0.7], return_weights=True),
    "translation_sequence": translation_sequence,
    "variance": variance,
}
COMPLEX: dict[str, Callable[[Tensor], Tensor]] = {
    "autocorrelation": autocorrelation,
    "expand": lambda z: expand(z, 2),
    "modulate_phase": modulate_phase,
    "modulate_phase by 3": lambda z: modulate_phase(z, 3),
    "shrink": lambda z: shrink(z, 2),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_real_tools_keep_device_and_type(name: str, dtype: torch.dtype) -> None:
    """On the meta device a tensor left behind on the CPU is an error, and nothing is computed."""
    results = REAL[name](torch.empty(1, 2, 8, 8, dtype=dtype, device="meta"))
    for result in results if isinstance(results, tuple) else (results,):
        assert result.device.type == "meta"
        assert result.dtype == dtype


@pytest.mark.parametrize("name", COMPLEX)
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_complex_tools_keep_device_and_type(name: str, dtype: torch.dtype) -> None:
    result = COMPLEX[name](torch.empty(1, 2, 8, 8, dtype=dtype, device="meta"))
    assert result.device.type == "meta"
    assert result.dtype == dtype
