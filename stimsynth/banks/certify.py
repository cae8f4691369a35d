"""Certificates: what a model says of the frame that a screen will show.

Not the optimizer's last loss: that was measured on float pixels nobody will see. Everything here is
computed in float64 from 8-bit frames.
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
    """Return a certificate for each of several frames that were made for one target's output.

    Parameters
    ----------
    model
        The model the frames were synthesized for.
    target
        The target's frame.
    frames, starts
        Frames of the results, and of the images that synthesis began with.
    statuses
        How each synthesis ended.
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
    """Return the certificate of a target image: it is its own goal."""
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
    """Return a model's outputs for frames in float64, flattened to shape (n, outputs)."""
    exact = copy.deepcopy(model).double()
    batch = np.stack([dequantize(frame.pixels, np.float64) for frame in frames])
    with torch.no_grad():
        return torch.cat([exact(image[None, None]).flatten(1) for image in torch.from_numpy(batch)])


def rms_to(goal: Tensor, given: Tensor) -> list[float]:
    """Return the root-mean-square distance of each row of `given` to `goal` (1, outputs)."""
    difference = given - goal
    return (difference.abs() ** 2).mean(dim=1).sqrt().tolist()
