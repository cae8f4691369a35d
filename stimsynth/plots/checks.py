"""Checks of the arguments of plots."""

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from numbers import Real
from typing import Any

import numpy as np

from stimuli_store.errors import InputError, WrongType, missing_extra, unknown_name
from stimuli_store.tools.gates import briefly
from stimuli_store.tools.whole import whole


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
        raise InputError(
            f"zoom must be a number of display pixels per image pixel; not {briefly(zoom)}"
        )


def check_size(figsize: Any) -> None:
    """Raise InputError if a figure's size is not two numbers.

    Raises
    ------
    InputError
        (a ValueError).
    """
    two = isinstance(figsize, tuple | list) and len(figsize) == 2
    if not two or not all(isinstance(side, Real) and 0 < float(side) < 1000 for side in figsize):
        raise InputError(f"figsize must be (width, height) in inches; not {briefly(figsize)}")


def check_options(given: Iterable[str], method: str, plot: Callable[..., Any]) -> None:
    """Raise InputError for arguments that neither a plot nor the method of matplotlib's axes behind it knows.

    Parameters
    ----------
    given
        Names of the arguments.
    method
        Name of the method: one of the keys of `_ARTISTS`.
    plot
        The plot, whose own arguments come first in the error.

    Raises
    ------
    InputError
        (a ValueError) that names the nearest known argument.

    Examples
    --------
    >>> def plot_curve(data, zoom=1, **kwargs):
    ...     check_options(kwargs, "plot", plot_curve)
    >>> plot_curve([1, 2], alpha=0.5)
    >>> plot_curve([1, 2], zom=2)
    Traceback (most recent call last):
    ...
    stimuli_store.errors.InputError: unknown argument of plot_curve 'zom'; did you mean 'zoom'? (known: ...
    """
    known = _options(method)
    for name in given:
        if name not in known:
            own = [one for one in _named(plot) if one not in known]
            raise unknown_name(f"argument of {plot.__name__}", name, [*own, *known])


def check_bins(bins: Any) -> None:
    """Raise InputError if bins of a histogram are no number, edges or rule.

    Raises
    ------
    InputError
        (a ValueError).

    Examples
    --------
    >>> check_bins(8), check_bins([0, 1, 2]), check_bins("auto")
    (None, None, None)
    >>> check_bins(-3)
    Traceback (most recent call last):
    ...
    stimuli_store.errors.InputError: bins must be a whole number of 1 or more; not -3
    """
    if bins is None:
        return
    if isinstance(bins, Real):
        whole(bins, "bins", 1)
        return
    try:
        edges = np.histogram_bin_edges([0.0, 1.0], bins).astype(np.float64)
    except (TypeError, ValueError):
        edges = np.empty(0)
    if edges.size < 2 or not np.isfinite(edges).all():
        raise InputError(
            "bins must be a whole number, two or more edges in order, or a rule of numpy such as 'auto'; "
            f"not {briefly(bins)}"
        )


_ARTISTS = {
    "imshow": "image.AxesImage",
    "plot": "lines.Line2D",
    "hist": "patches.Patch",
    "stem": "lines.Line2D",
}

_DATA = ("self", "X", "x")  # what plots give themselves


@cache
def _options(method: str) -> tuple[str, ...]:
    from importlib import import_module

    try:
        from matplotlib.artist import ArtistInspector
        from matplotlib.axes import Axes
    except ImportError as error:
        raise missing_extra("figures need matplotlib", "analysis") from error

    home, _, kind = _ARTISTS[method].partition(".")
    artist = ArtistInspector(getattr(import_module(f"matplotlib.{home}"), kind))
    own = [name for name in _named(getattr(Axes, method)) if name not in _DATA]
    aliases = [alias for names in artist.aliasd.values() for alias in names]
    return tuple(dict.fromkeys([*own, *artist.get_setters(), *aliases]))


def _named(function: Callable[..., Any]) -> list[str]:
    """Return the names of the arguments of a function that have one."""
    unnamed = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [n for n, p in inspect.signature(function).parameters.items() if p.kind not in unnamed]
