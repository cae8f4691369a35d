"""Measurements on display frames, in float64."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from stimsynth.banks.model_identity import noise_image
from stimsynth.banks.recipe import Context, Metric, to_tensor
from stimuli_store.errors import InputError
from stimuli_store.frames import Frame, dequantize
from stimuli_store.records.spec import ModelRef


def frame_images(frames: Sequence[Frame]) -> Tensor:
    """Return frames of one shape as images (n, c, h, w), float64 in [0, 1]."""
    return torch.cat([to_tensor(dequantize(frame.pixels, np.float64)) for frame in frames])


def outputs(context: Context, ref: ModelRef, frames: Sequence[Frame]) -> Tensor:
    """Return a model's outputs for frames in float64, flattened to shape (n, outputs), on the CPU."""
    exact, images = context.exact(ref), frame_images(frames).to(context.device)
    with torch.no_grad():
        joined = torch.cat([exact(image[None]).flatten(1) for image in images]).cpu()
    return joined.to(torch.complex128 if joined.is_complex() else torch.float64)


def root_mean_square(values: Tensor) -> Tensor:
    """Return the root mean square of each row of values (n, m), shape (n,)."""
    return (values.abs() ** 2).mean(dim=1).sqrt()


def metric_value(metric: Metric, reference: Frame, frame: Frame) -> float:
    """Return the value of a metric between two frames, in float64."""
    with torch.no_grad():
        value = metric(frame_images([reference]), frame_images([frame]))
    return float(value.double().mean())


def check_metric_takes(label: str, metric: Metric, shapes: Sequence[tuple[int, ...]]) -> None:
    """Check that a metric takes images of one of `shapes`, (channel, height, width) each.

    Raises
    ------
    InputError
        If it takes none of them; the sentence is that of the first.
    """
    faults: list[Exception] = []
    for shape in shapes:
        one, two = torch.zeros(1, *shape), noise_image((1, *shape))
        try:
            metric(one, two)
        except (InputError, RuntimeError) as error:
            faults.append(error)
        else:
            return
    if faults:
        raise InputError(f"{label} does not take these pictures: {faults[0]}") from faults[0]


def rms_pixels(reference: Frame, frame: Frame) -> float:
    """Return the root-mean-square difference of two frames, in units of pixel values from 0 to 1."""
    one, two = (dequantize(f.pixels, np.float64) for f in (reference, frame))
    return float(np.sqrt(np.mean((one - two) ** 2)))
