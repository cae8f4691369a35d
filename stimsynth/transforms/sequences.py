"""Sequences of images, their deviation from the straight line between their ends, and their curvature."""

import math

import torch
from torch import Tensor

from stimsynth.numerics.safe import anywhere
from stimsynth.validate.gates import a_generator
from stimsynth.validate.images import Kind, checked_tensor
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_number, a_yes_or_no, optional, takes
from stimuli_store.tools.whole import whole


def make_straight_line(start: Tensor, stop: Tensor, n_steps: int) -> Tensor:
    """Return the straight line of images from `start` to `stop`: a cross-fade of pixels.

    Parameters
    ----------
    start, stop
        First and last image, shape (1, c, h, w).
    n_steps
        Number of steps, 1 or more.

    Returns
    -------
    Tensor
        Shape (n_steps + 1, c, h, w); first and last frame are the ends, exactly.

    Raises
    ------
    InputError
        If the ends do not fit together or `n_steps` is below 1.

    Examples
    --------
    >>> make_straight_line(torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1), 4).flatten().tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    n_steps = _steps_between(start, stop, n_steps)
    return torch.lerp(start, stop, _times(n_steps, start))


@takes(max_norm=a_number, generator=optional(a_generator))
def sample_brownian_bridge(
    start: Tensor,
    stop: Tensor,
    n_steps: int,
    max_norm: float = 1,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return a Brownian bridge of images: a random walk with fixed ends `start` and `stop`.

    Noise is drawn on the generator's device (the CPU, if none is given).

    Parameters
    ----------
    start, stop
        First and last image, shape (1, c, h, w).
    n_steps
        Number of steps, 1 or more.
    max_norm
        Expected Euclidean distance of the middle frame from the straight line, 0 or more: each of its d
        values has standard deviation max_norm / √d there.
    generator
        Source of the noise; None for torch's own.

    Returns
    -------
    Tensor
        Shape (n_steps + 1, c, h, w); first and last frame are the ends, exactly.

    Raises
    ------
    InputError
        If the ends do not fit together, `n_steps` is below 1 or `max_norm` below 0.

    Examples
    --------
    >>> ends = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    >>> bridge = sample_brownian_bridge(*ends, 10, generator=torch.Generator().manual_seed(0))
    >>> bridge.shape, bool((bridge[-1] == 1).all())
    (torch.Size([11, 1, 8, 8]), True)
    """
    n_steps = _steps_between(start, stop, n_steps)
    if not max_norm >= 0:
        raise InputError(f"max_norm must be 0 or more; not {max_norm}")
    std = 2 * max_norm / math.sqrt(n_steps * start.numel())
    place = generator.device if generator else "cpu"
    steps = torch.randn(
        (n_steps, *start.shape[1:]), dtype=start.dtype, device=place, generator=generator
    ).to(start.device)
    walk = torch.cat([torch.zeros_like(start), std * steps.cumsum(dim=0)])
    tied = walk - _times(n_steps, start) * walk[-1:]  # 0 at both ends, exactly
    return make_straight_line(start, stop, n_steps) + tied


def translation_sequence(image: Tensor, n_steps: int = 10) -> Tensor:
    """Return a sequence of an image that moves right by one pixel per frame, with circular boundary.

    Parameters
    ----------
    image
        Shape (1, c, h, w).
    n_steps
        Number of steps, 1 or more.

    Returns
    -------
    Tensor
        Shape (n_steps + 1, c, h, w), the image itself first.

    Raises
    ------
    InputError
        If `image` is not one image or `n_steps` is below 1.

    Examples
    --------
    >>> translation_sequence(torch.arange(3).view(1, 1, 1, 3), 2).squeeze().tolist()
    [[0, 1, 2], [2, 0, 1], [1, 2, 0]]
    """
    n_steps = _steps_between(image, image, n_steps, kind="all")
    return torch.cat([image.roll(shift, dims=-1) for shift in range(n_steps + 1)])


@takes(normalize=a_yes_or_no)
def deviation_from_line(sequence: Tensor, normalize: bool = True) -> tuple[Tensor, Tensor]:
    """Return each frame's position along the line between the ends, and its distance from the line.

    Parameters
    ----------
    sequence
        Shape (T, …), T of 2 or more, floating-point, ends different.
    normalize
        Whether to measure in units of the distance between the ends.

    Returns
    -------
    dist_along_line, dist_from_line
        Euclidean distances, shape (T,): from the first frame to each frame's projection onto the line
        (negative if it lies before the first frame), and from the projection to the frame.

    Raises
    ------
    InputError
        If there are fewer than two frames or the first equals the last.

    Examples
    --------
    >>> path = torch.tensor([[0.0, 0.0], [3.0, 4.0], [10.0, 0.0]])
    >>> [d.round(decimals=4).tolist() for d in deviation_from_line(path, normalize=False)]
    [[0.0, 3.0, 10.0], [0.0, 4.0, 0.0]]
    """
    checked_tensor(sequence, "a deviation from a line", "(frames, …, values)")
    if len(sequence) < 2:
        raise InputError(
            f"a sequence must have shape (frames, …) with two frames or more; not {tuple(sequence.shape)}"
        )
    offset = (sequence - sequence[:1]).flatten(1)
    length = torch.linalg.vector_norm(offset[-1])
    if anywhere(length == 0):
        raise InputError("first and last frame are equal, so there is no line between them")
    direction = offset[-1] / length
    along = offset @ direction
    away = torch.linalg.vector_norm(offset - along.unsqueeze(1) * direction, dim=1)
    return (along / length, away / length) if normalize else (along, away)


def discrete_curvature(sequence: Tensor) -> Tensor:
    """Return the angle between each two successive steps of a sequence, in degrees.

    It is 0 where a sequence goes straight on, also in larger or smaller steps, and 180 where it turns back.
    For the outputs of a model it is the curvature of the sequence in the model's representation.

    Parameters
    ----------
    sequence
        Shape (T, …), T of 3 or more, floating-point, neighbours different.

    Returns
    -------
    Tensor
        Shape (T - 2,).

    Raises
    ------
    InputError
        If there are fewer than three frames, or two successive ones are equal.

    References
    ----------
    O. J. Hénaff, R. L. T. Goris & E. P. Simoncelli (2019), "Perceptual straightening of natural videos",
    Nature Neuroscience 22, 984–991.

    Examples
    --------
    >>> path = torch.tensor([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [3.0, 1.0]])
    >>> discrete_curvature(path).tolist()
    [0.0, 90.0]
    """
    checked_tensor(sequence, "a curvature", "(frames, …, values)")
    if len(sequence) < 3:
        raise InputError(
            "a curvature needs a sequence of shape (frames, …) with three frames or more; not "
            f"{tuple(sequence.shape)}"
        )
    steps = sequence.flatten(1).diff(dim=0)
    lengths = torch.linalg.vector_norm(steps, dim=1, keepdim=True)
    if anywhere(lengths == 0):
        raise InputError(
            "two successive frames are equal, so the step between them has no direction"
        )
    one, two = (steps / lengths).unfold(0, 2, 1).unbind(-1)
    # Accurate at 0 and 180 degrees too, where the arc cosine is not.
    apart, together = (torch.linalg.vector_norm(v, dim=1) for v in (one - two, one + two))
    return torch.rad2deg(2 * torch.atan2(apart, together))


def _times(n_steps: int, like: Tensor) -> Tensor:
    """Return equally spaced times from 0 to 1, shape (n_steps + 1, 1, …)."""
    times = torch.linspace(0, 1, n_steps + 1, dtype=like.dtype, device=like.device)
    return times.reshape(-1, *[1] * (like.dim() - 1))


def _steps_between(start: Tensor, stop: Tensor, n_steps: int, kind: Kind = "real") -> int:
    """Return the number of steps, once both ends have proved to be one image each, of one size."""
    for end in (start, stop):
        checked_tensor(end, "a sequence", "(1, …, values)", kind=kind)
    if len(start) != 1 or start.shape != stop.shape or start.dtype != stop.dtype:
        raise InputError(
            "both ends of a sequence must be images of the same shape (1, channel, height, width); not "
            f"{tuple(start.shape)} and {tuple(stop.shape)}"
        )
    return whole(n_steps, "n_steps", 1)


def as_vectors(outputs: Tensor) -> Tensor:
    """Return a model's outputs as real vectors, shape (frames, values), with the same distances.

    Examples
    --------
    >>> as_vectors(torch.tensor([[3.0 + 4j]])).tolist()
    [[3.0, 4.0]]
    """
    flat = outputs.flatten(1)
    return torch.view_as_real(flat).flatten(1) if flat.is_complex() else flat
