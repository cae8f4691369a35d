"""Checks of what plots are asked for, with one sentence on what would do."""

from numbers import Integral, Real
from typing import Any

from stimuli_store.errors import InputError, WrongType


def check_kind(shown: Any, attributes: tuple[str, ...], kind: str) -> None:
    """Refuse to show what lacks something that is to be seen.

    Raises
    ------
    WrongType
        (also a TypeError) with the name of what a plot shows.
    """
    if not all(hasattr(shown, name) for name in attributes):
        raise WrongType(f"this shows a {kind}; not a {type(shown).__name__}")


def check_axes(axes: Any, name: str = "ax") -> None:
    """Refuse to draw on what is no axes; None is.

    Raises
    ------
    WrongType
        (also a TypeError).
    """
    if axes is not None and not hasattr(axes, "plot"):
        raise WrongType(f"{name} is None, or axes of matplotlib; not {axes!r}")


def check_place(place: Any, name: str) -> None:
    """Refuse numbers of images, channels and iterations that are not whole.

    Raises
    ------
    InputError
        (a ValueError).
    """
    if not isinstance(place, Integral):
        raise InputError(f"{name} is a whole number; not {place!r}")


def check_zoom(zoom: Any) -> None:
    """Refuse a zoom that is no number.

    Raises
    ------
    InputError
        (a ValueError).
    """
    if not isinstance(zoom, Real):
        raise InputError(f"zoom is a number of display pixels for an image pixel; not {zoom!r}")


def check_size(figsize: Any) -> None:
    """Refuse a size that is not two numbers.

    Raises
    ------
    InputError
        (a ValueError).
    """
    two = isinstance(figsize, tuple | list) and len(figsize) == 2
    if not two or not all(isinstance(side, Real) and 0 < float(side) < 1000 for side in figsize):
        raise InputError(f"figsize is (width, height) in inches; not {figsize!r}")
