"""Sequences of images, and how far they stray from the straight line between their ends."""

import math

import torch
from torch import Tensor

from stimsynth.numerics.safe import anywhere
from stimuli_store.errors import InputError


def make_straight_line(start: Tensor, stop: Tensor, n_steps: int) -> Tensor:
    """Return the straight line from one image to another: a cross-fade of pixels.

    Parameters
    ----------
    start, stop
        Its ends, shape (1, c, h, w).
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
    _see_ends(start, stop, n_steps)
    return torch.lerp(start, stop, _times(n_steps, start))


def sample_brownian_bridge(
    start: Tensor,
    stop: Tensor,
    n_steps: int,
    max_norm: float = 1,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return a random walk that is tied to an image at either end.

    Noise is drawn where the generator lives (the CPU, if none is given).

    Parameters
    ----------
    start, stop
        Its ends, shape (1, c, h, w).
    n_steps
        Number of steps, 1 or more.
    max_norm
        How far the walk is from the straight line half-way, in Euclidean norm: each of its d values has
        standard deviation max_norm / √d there. 0 or more.
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
    _see_ends(start, stop, n_steps)
    if not max_norm >= 0:
        raise InputError(f"max_norm is 0 or more; not {max_norm}")
    std = 2 * max_norm / math.sqrt(n_steps * start.numel())
    place = generator.device if generator else "cpu"
    steps = torch.randn(
        (n_steps, *start.shape[1:]), dtype=start.dtype, device=place, generator=generator
    ).to(start.device)
    walk = torch.cat([torch.zeros_like(start), std * steps.cumsum(dim=0)])
    tied = walk - _times(n_steps, start) * walk[-1:]  # 0 at both ends, exactly
    return make_straight_line(start, stop, n_steps) + tied


def translation_sequence(image: Tensor, n_steps: int = 10) -> Tensor:
    """Return an image moving to the right by one pixel a frame, round its edges.

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
        If there is not one image or `n_steps` is below 1.

    Examples
    --------
    >>> translation_sequence(torch.arange(3).view(1, 1, 1, 3), 2).squeeze().tolist()
    [[0, 1, 2], [2, 0, 1], [1, 2, 0]]
    """
    _see_ends(image, image, n_steps)
    return torch.cat([image.roll(shift, dims=-1) for shift in range(n_steps + 1)])


def deviation_from_line(sequence: Tensor, normalize: bool = True) -> tuple[Tensor, Tensor]:
    """Return where the frames of a sequence are along the line between its ends, and how far off it.

    Parameters
    ----------
    sequence
        Shape (T, …), T of 2 or more, floating-point, ends different.
    normalize
        Whether to measure in units of the distance between the ends.

    Returns
    -------
    dist_along_line, dist_from_line
        Euclidean distances, shape (T,): from the first frame to the foot of each frame's perpendicular
        on the line (negative when that lies before the first), and from there to the frame.

    Raises
    ------
    InputError
        If there are not two frames or the first equals the last.

    Examples
    --------
    >>> path = torch.tensor([[0.0, 0.0], [3.0, 4.0], [10.0, 0.0]])
    >>> [d.round(decimals=4).tolist() for d in deviation_from_line(path, normalize=False)]
    [[0.0, 3.0, 10.0], [0.0, 4.0, 0.0]]
    """
    if sequence.dim() < 2 or len(sequence) < 2:
        raise InputError(
            f"a sequence has shape (frames, …) with two frames or more; not {tuple(sequence.shape)}"
        )
    offset = (sequence - sequence[:1]).flatten(1)
    length = torch.linalg.vector_norm(offset[-1])
    if anywhere(length == 0):
        raise InputError("first and last frame are equal: there is no line between them")
    direction = offset[-1] / length
    along = offset @ direction
    away = torch.linalg.vector_norm(offset - along.unsqueeze(1) * direction, dim=1)
    return (along / length, away / length) if normalize else (along, away)


def _times(n_steps: int, like: Tensor) -> Tensor:
    """Return 0 to 1 in equal steps, shape (n_steps + 1, 1, …)."""
    times = torch.linspace(0, 1, n_steps + 1, dtype=like.dtype, device=like.device)
    return times.reshape(-1, *[1] * (like.dim() - 1))


def _see_ends(start: Tensor, stop: Tensor, n_steps: int) -> None:
    if start.dim() < 2 or len(start) != 1 or start.shape != stop.shape:
        raise InputError(
            "a sequence goes from one image to another of its shape (1, channel, height, width); not "
            f"from {tuple(start.shape)} to {tuple(stop.shape)}"
        )
    if n_steps < 1:
        raise InputError(f"n_steps is 1 or more; not {n_steps}")


def as_vectors(outputs: Tensor) -> Tensor:
    """Return a model's outputs as real vectors, shape (frames, values): distances stay what they are.

    Examples
    --------
    >>> as_vectors(torch.tensor([[3.0 + 4j]])).tolist()
    [[3.0, 4.0]]
    """
    flat = outputs.flatten(1)
    return torch.view_as_real(flat).flatten(1) if flat.is_complex() else flat
