"""Axes of the level: the function of the level on which a sigmoid is drawn, with its inverse."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from analysis.observers.checks import numbers_of
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import a_function, a_text, briefly, check_fields

_Scale = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """An increasing function of the level, and its inverse.

    Attributes
    ----------
    name
        How results and saved files call it.
    position, level
        The function from levels to positions on the axis, and its inverse.
    unit
        Unit of a distance on the axis, for texts.

    Examples
    --------
    >>> import numpy as np
    >>> square_root = Axis(name="square root", position=np.sqrt, level=np.square, unit="√level")
    >>> to_axis([4, 9], square_root).tolist()
    [2.0, 3.0]
    """

    name: str
    position: _Scale
    level: _Scale
    unit: str = "units of the axis"

    def __post_init__(self) -> None:
        """Check names and functions; raise InputError in one sentence."""
        check_fields(self, name=a_text, position=a_function, level=a_function, unit=a_text)


LOG_AXIS = Axis(name="log", position=np.log2, level=np.exp2, unit="octaves")
LINEAR_AXIS = Axis(
    name="linear", position=lambda v: v, level=lambda x: x, unit="units of the level"
)
AXES = MappingProxyType({axis.name: axis for axis in (LOG_AXIS, LINEAR_AXIS)})


def axis_of(axis: str | Axis) -> Axis:
    """Return the axis of a name; an `Axis` is returned as it is.

    Raises
    ------
    InputError
        If the name is unknown, or it is neither a name nor an `Axis`.
    """
    if not isinstance(axis, str):
        if isinstance(axis, type) or not hasattr(axis, "position"):
            raise InputError(
                f"axis must be {' or '.join(map(repr, AXES))}, or an Axis(name=…, position=…, level=…) "
                f"with a function and its inverse; not {briefly(axis)}"
            )
        return axis
    if axis not in AXES:
        raise unknown_name("axis", axis, list(AXES))
    return AXES[axis]


def to_axis(levels: ArrayLike, axis: str | Axis = LOG_AXIS) -> np.ndarray:
    """Return the positions of levels on an axis, such as log2(level) (same shape).

    Raises
    ------
    InputError
        If a level is not finite, not positive on a logarithmic axis, or has no finite position.

    Examples
    --------
    >>> to_axis([8, 16, 64]).tolist()
    [3.0, 4.0, 6.0]
    """
    scale = axis_of(axis)
    values = numbers_of(levels, "levels")
    if not np.isfinite(values).all():
        raise InputError("a level is not a finite number; leave out conditions without a level")
    if scale == LOG_AXIS and (values <= 0).any():
        raise InputError(
            f"a logarithmic axis takes levels above zero; {values.min():g} was given; use "
            f"axis='linear'"
        )
    with np.errstate(all="ignore"):
        positions = numbers_of(scale.position(values), f"positions on the axis {scale.name!r}")
    if positions.shape != values.shape or not np.isfinite(positions).all():
        raise InputError(
            f"the axis {scale.name!r} gives no finite position to every level from {values.min():g} to "
            f"{values.max():g}"
        )
    return positions


def from_axis(x: ArrayLike, axis: str | Axis = LOG_AXIS) -> np.ndarray:
    """Return the levels at positions `x` on an axis (the inverse of `to_axis`); infinite ones are allowed.

    A position at which the axis has no level gives minus or plus infinity by its sign.
    """
    values = np.asarray(x, dtype=np.float64)
    with np.errstate(all="ignore"):
        levels = numbers_of(axis_of(axis).level(values), "levels of an axis")
    return np.where(np.isnan(levels), np.copysign(np.inf, values), levels)


def check_axis(levels: np.ndarray, axis: str | Axis) -> Axis:
    """Return the axis after checking that it rises over the levels (L,) and that its inverse fits.

    Raises
    ------
    InputError
        If a level has no position, a higher level a lower position, or the inverse gives another level.
    """
    scale = axis_of(axis)
    known = np.unique(levels)
    positions = to_axis(known, scale)
    if (np.diff(positions) <= 0).any():
        raise InputError(
            f"the axis {scale.name!r} does not rise over the levels; give an increasing function"
        )
    if not np.allclose(from_axis(positions, scale), known, rtol=1e-6, atol=0):
        raise InputError(
            f"the functions position and level of the axis {scale.name!r} are not each other's inverse"
        )
    return scale
