"""Certificates: distances of a model, measured on the 8-bit frames that a screen will show.

The optimizer's last loss was measured on float pixels that no screen shows, so it is not used. Everything
here is computed in float64 from 8-bit frames.
"""

import copy

import numpy as np
import torch
from torch import Tensor, nn

from stimuli_store.frames import BITS, Frame, dequantize
from stimuli_store.records.stimulus import Certificate


def certify(
    model: nn.Module, target: Frame, frames: list[Frame], starts: list[Frame], statuses: list[str]
) -> list[Certificate]:
    """Return the certificates of several frames that were synthesized for one target.

    Parameters
    ----------
    model
        Model for which the frames were synthesized.
    target
        Frame of the target.
    frames, starts
        Frames of the results, and of the start images.
    statuses
        Sentence on the end of each synthesis.
    """
    goal = outputs(model, [target])
    scale = float(goal.square().mean().sqrt())
    reached, began = (rms_to(goal, outputs(model, batch)) for batch in (frames, starts))
    return [
        Certificate(
            bits=BITS,
            frame_sha256=frame.sha256,
            distance=distance,
            relative_distance=distance / scale if scale else float(distance > 0),
            start_distance=start,
            clipped_fraction=frame.clipped_fraction,
            status=status,
        )
        for frame, distance, start, status in zip(frames, reached, began, statuses, strict=True)
    ]


def certify_reference(frame: Frame) -> Certificate:
    """Return the certificate of a target image's frame, whose distance is 0."""
    return Certificate(
        bits=BITS,
        frame_sha256=frame.sha256,
        distance=0.0,
        relative_distance=0.0,
        start_distance=0.0,
        clipped_fraction=frame.clipped_fraction,
        status="reference",
    )


def outputs(model: nn.Module, frames: list[Frame]) -> Tensor:
    """Return a model's outputs for frames, computed in float64 and flattened to shape (n, outputs)."""
    exact = copy.deepcopy(model).double()
    batch = np.stack([dequantize(frame.pixels, np.float64) for frame in frames])
    with torch.no_grad():
        return torch.cat([exact(image[None, None]).flatten(1) for image in torch.from_numpy(batch)])


def rms_to(goal: Tensor, given: Tensor) -> list[float]:
    """Return the root-mean-square distance of each row of `given` to `goal` (1, outputs)."""
    difference = given - goal
    return (difference.abs() ** 2).mean(dim=1).sqrt().tolist()
