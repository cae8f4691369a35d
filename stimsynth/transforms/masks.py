"""Soft edges: raised cosines as tables, linear interpolation of tables, and disks."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from stimsynth.numerics.safe import anywhere
from stimsynth.validate.gates import a_device, a_dtype, some_numbers, two_numbers
from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_number, optional, takes
from stimuli_store.tools.whole import pair

_STEPS = 256


@takes(width=a_number, position=a_number, values=two_numbers)
def raised_cosine(
    width: float = 1, position: float = 0, values: tuple[float, float] = (0, 1)
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return a soft step as a table of positions and values, for `interpolate1d`.

    The step goes from :math:`v_1` at position − width/2 to :math:`v_2` at position + width/2 along
    :math:`v_1 + (v_2 - v_1)\cos^2\!\big(\frac{\pi (x - position)}{2\,width} - \frac{\pi}{4}\big)` and is
    flat outside.

    Parameters
    ----------
    width
        Width of the step, positive.
    position
        Its centre.
    values
        (v₁, v₂).

    Returns
    -------
    X, Y
        259 positions and the values there, float64: 257 along the step and one beyond each end.

    Raises
    ------
    InputError
        If `width` is not positive.

    Examples
    --------
    >>> x, y = raised_cosine(width=2, position=1)
    >>> [round(float(v), 4) for v in np.interp([-1, 0, 1, 2, 3], x, y)]
    [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    if not width > 0:
        raise InputError(f"the width of a raised cosine must be positive; not {width}")
    step = np.arange(-1, _STEPS + 2)
    rise = np.sin(np.pi / 2 * step.clip(0, _STEPS) / _STEPS) ** 2
    return position + width * (step / _STEPS - 1 / 2), values[0] + (values[1] - values[0]) * rise


def interpolate1d(x_new: Tensor, Y: Tensor | np.ndarray, X: Tensor | np.ndarray) -> Tensor:
    """Return the values of a table at new positions by linear interpolation (as `np.interp` does).

    Differentiable in `x_new`, and in `Y` when that is a tensor.

    Parameters
    ----------
    x_new
        Positions, any shape.
    Y
        Values of the table, shape (n,).
    X
        Positions of the table, shape (n,), in ascending order. Beyond the ends the end values apply.

    Returns
    -------
    Tensor
        Shaped like `x_new`, of its type and on its device.

    Raises
    ------
    InputError
        If `X` and `Y` are not two lists of the same length, or `X` is not ascending.

    Examples
    --------
    >>> interpolate1d(torch.tensor([0.5, 9.0]), np.array([1.0, 3.0]), np.array([0.0, 1.0])).tolist()
    [2.0, 3.0]
    """
    if not checked_tensor(x_new, "a table", "(…)", kind="ordered").is_floating_point():
        x_new = x_new.to(torch.get_default_dtype())
    positions, values = some_numbers(X, "X", like=x_new), some_numbers(Y, "Y", like=x_new)
    if positions.dim() != 1 or positions.shape != values.shape or len(positions) == 0:
        raise InputError(
            "a table must have as many values as positions, one or more; not "
            f"{tuple(values.shape)} and {tuple(positions.shape)}"
        )
    if anywhere(positions.diff() < 0):
        raise InputError("the positions of a table must be ascending; sort X, and Y with it")
    if len(positions) == 1:
        return values.expand(x_new.shape)
    right = torch.searchsorted(positions, x_new.contiguous(), right=True)
    right = right.clamp(1, len(positions) - 1)
    start, stop = positions[right - 1], positions[right]
    step = stop - start
    # A position that occurs twice is a jump; there the later value applies.
    inside = (x_new - start) / torch.where(step > 0, step, 1.0)
    weight = torch.where(step > 0, inside.clamp(0, 1), (x_new >= start).to(x_new))
    return torch.lerp(values[right - 1], values[right], weight)


@takes(
    outer_radius=optional(a_number),
    inner_radius=optional(a_number),
    dtype=optional(a_dtype),
    device=optional(a_device),
)
def make_disk(
    img_size: int | Sequence[int] | torch.Size,
    outer_radius: float | None = None,
    inner_radius: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """Return a mask with a disk in the centre whose edge falls as a raised cosine.

    Parameters
    ----------
    img_size
        Size in pixels, one number or (height, width).
    outer_radius
        Radius in pixels from which the mask is 0; None for half the image's smaller side.
    inner_radius
        Radius in pixels up to which the mask is 1; None for half the outer radius. Equal radii give a
        hard edge.
    dtype, device
        Type and device of the result; None for torch's defaults.

    Returns
    -------
    Tensor
        Shape (height, width).

    Raises
    ------
    InputError
        If a size is not positive or the inner radius is not in [0, outer radius].

    Examples
    --------
    >>> make_disk(5, outer_radius=2, inner_radius=0)[2].round(decimals=4).tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    size = pair(img_size, "img_size")
    outer = (min(size) - 1) / 2 if outer_radius is None else outer_radius
    inner = outer / 2 if inner_radius is None else inner_radius
    if not 0 <= inner <= outer:
        raise InputError(
            f"radii of a disk must be 0 <= inner <= outer; not inner {inner} and outer {outer}"
        )
    rows, columns = (torch.arange(n, dtype=dtype, device=device) - (n - 1) / 2 for n in size)
    radius = torch.hypot(rows.unsqueeze(1), columns.unsqueeze(0))
    if inner == outer:
        return (radius <= inner).to(radius.dtype)
    fall = ((radius - inner) / (outer - inner)).clamp(0, 1)
    return (1 + torch.cos(torch.pi * fall)) / 2
