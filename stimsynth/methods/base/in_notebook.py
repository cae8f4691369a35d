"""Short descriptions of syntheses, for a prompt and for a notebook."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from torch import Tensor

from stimsynth.engine.run import Status
from stimsynth.images.arrays import to_numpy
from stimuli_store.pictures.encoding import enlarged
from stimuli_store.tools import html

_MOST = 4  # pictures


def described(name: str, points: Tensor, losses: Tensor | None, status: Sequence[Status]) -> str:
    """Return a synthesis in a line: the shape of its images, steps, mean loss and status.

    Parameters
    ----------
    name
        Name of the class.
    points
        Result so far, shape (batch, …).
    losses
        Shape (steps + 1, batch); None before the first call.
    status
        Status of each image.

    Examples
    --------
    >>> import torch
    >>> described("Metamer", torch.zeros(2, 1, 8, 8), None, ())
    'Metamer(2 × 1 × 8 × 8, not begun)'
    """
    shape = " × ".join(map(str, points.shape))
    if losses is None:
        return f"{name}({shape}, not begun)"
    return f"{name}({shape}, {len(losses) - 1} steps, loss {_mean(losses)}, {_outcome(status)})"


def described_in_html(
    name: str,
    points: Tensor,
    losses: Tensor | None,
    status: Sequence[Status],
    allowed_range: tuple[float, float],
) -> str:
    """Return HTML with the first images of a synthesis and its facts; arguments are as for `described`.

    `allowed_range` holds the values of black and white.
    """
    facts = [("images", " × ".join(map(str, points.shape)))]
    if losses is not None:
        facts += [
            ("steps", str(len(losses) - 1)),
            ("loss", _mean(losses)),
            ("status", _outcome(status)),
        ]
    pictures = image_row(points, allowed_range) if points.dim() > 3 else ""
    return f"<div><b>{html.text(name)}</b>{html.table((), facts)}{pictures}</div>"


def pictured(name: str, changes: Tensor, facts: Sequence[tuple[str, str]]) -> str:
    """Return HTML with facts and pictures of changes of an image: grey is none, white and black the most."""
    most = float(changes.abs().max()) if changes.numel() else 1.0
    pictures = image_row(changes, (-most, most))
    return f"<div><b>{html.text(name)}</b>{html.table((), facts)}{pictures}</div>"


def image_row(images: Tensor, allowed_range: tuple[float, float] = (0.0, 1.0)) -> str:
    """Return HTML with the first few images of a batch; `allowed_range` has the values of black and white."""
    every: Iterable[np.ndarray] = to_numpy(images).reshape(-1, *images.shape[-3:])
    return "".join(_picture(image, allowed_range) for image in islice(every, _MOST))


def first_values(values: Tensor) -> str:
    """Return the first few numbers of a tensor as words."""
    first = values.flatten()[:_MOST].tolist()
    return ", ".join(f"{value:.3g}" for value in first) + (", …" if values.numel() > _MOST else "")


def _mean(losses: Tensor) -> str:
    return f"{float(losses[-1].mean()):.3g}"


def _outcome(status: Sequence[Status]) -> str:
    """Return the different outcomes, each with its number of images if there are several."""
    counted = Counter(one.value.partition(":")[0] for one in status)
    if len(counted) == 1:
        return next(iter(counted))
    return ", ".join(f"{number} {value}" for value, number in counted.items())


def _picture(image: np.ndarray, allowed_range: tuple[float, float]) -> str:
    low, high = allowed_range
    levels = np.nan_to_num(np.clip((image - low) / (high - low), 0, 1)) * 255
    shown = np.moveaxis(levels, 0, -1) if len(image) == 3 else levels[0]
    return enlarged(shown.round().astype(np.uint8), "synthesized image")
