"""Checks of the arguments of plots."""

import inspect
from collections.abc import Iterable
from functools import cache
from numbers import Real
from typing import Any

from stimuli_store.errors import InputError, WrongType, unknown_name


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


def check_options(given: Iterable[str], method: str) -> None:
    """Raise InputError for arguments that a method of matplotlib's axes does not know.

    Parameters
    ----------
    given
        Names of the arguments.
    method
        Name of the method: one of the keys of `_ARTISTS`.

    Raises
    ------
    InputError
        (a ValueError) that names the nearest known argument.

    Examples
    --------
    >>> check_options(["alpha", "interpolation"], "imshow")
    >>> check_options(["colour"], "plot")
    Traceback (most recent call last):
    ...
    stimuli_store.errors.InputError: unknown argument of plot 'colour'; did you mean 'color'? (known: ...
    """
    known = _options(method)
    for name in given:
        if name not in known:
            raise unknown_name(f"argument of {method}", name, list(known))


_ARTISTS = {
    "imshow": "image.AxesImage",
    "plot": "lines.Line2D",
    "hist": "patches.Patch",
    "stem": "lines.Line2D",
}


@cache
def _options(method: str) -> tuple[str, ...]:
    from importlib import import_module

    from matplotlib.artist import ArtistInspector
    from matplotlib.axes import Axes

    home, _, kind = _ARTISTS[method].partition(".")
    artist = ArtistInspector(getattr(import_module(f"matplotlib.{home}"), kind))
    own = [
        name
        for name, parameter in inspect.signature(getattr(Axes, method)).parameters.items()
        if name != "self" and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    aliases = [alias for names in artist.aliasd.values() for alias in names]
    return tuple(dict.fromkeys([*own, *artist.get_setters(), *aliases]))
