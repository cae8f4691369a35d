"""Checks of the arguments of plots."""

from numbers import Real
from typing import Any

from stimuli_store.errors import InputError, WrongType


def check_kind(shown: Any, attributes: tuple[str, ...], kind: str) -> None:
    """Raise WrongType if an object lacks an attribute that a plot needs.

    Raises
    ------
    WrongType
        (also a TypeError) with the name of the class that the plot shows.
    """
    if not all(hasattr(shown, name) for name in attributes):
        raise WrongType(f"this plot shows a {kind}; not a {type(shown).__name__}")


def check_zoom(zoom: Any) -> None:
    """Raise InputError if the zoom is not a number.

    Raises
    ------
    InputError
        (a ValueError).
    """
    if not isinstance(zoom, Real):
        raise InputError(f"zoom must be a number of display pixels per image pixel; not {zoom!r}")


def check_size(figsize: Any) -> None:
    """Raise InputError if a figure's size is not two numbers.

    Raises
    ------
    InputError
        (a ValueError).
    """
    two = isinstance(figsize, tuple | list) and len(figsize) == 2
    if not two or not all(isinstance(side, Real) and 0 < float(side) < 1000 for side in figsize):
        raise InputError(f"figsize must be (width, height) in inches; not {figsize!r}")
