"""Gates of the arguments that plots share: titles, limits, colours, numbers, and options of matplotlib.

A gate is a function of a value and the name of its argument, as in `stimuli_store.tools.gates`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from subprocess import SubprocessError
from typing import Any

import numpy as np

from stimsynth.images.arrays import to_numpy
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.axes import check_axes
from stimuli_store.tools.gates import a_mapping, as_float, briefly, like
from stimuli_store.tools.whole import whole

_LONGEST = 120  # characters of what matplotlib says
#: What matplotlib, and the programs that it calls, raise for options that they do not take.
_RAISED = (
    *(TypeError, ValueError, AttributeError, LookupError, RuntimeError, OSError),
    SubprocessError,
)


def a_title(value: Any, name: str) -> str:
    """Return `value` after checking that it is a text that matplotlib can draw.

    Examples
    --------
    >>> a_title("$x^2$", "title"), a_title("5 $", "title")
    ('$x^2$', '5 $')
    >>> a_title("$x^$", "title")
    Traceback (most recent call last):
    ...
    stimuli_store.errors.InputError: title is not mathematics that matplotlib can read: '$x^$'; write \\$ ...
    """
    if not isinstance(value, str):
        raise InputError(f"{name} must be a text; not {briefly(value)}")
    if "$" in value:
        _check_mathematics(value, name)
    return value


def _check_mathematics(text: str, name: str) -> None:
    try:
        from matplotlib import cbook
        from matplotlib.mathtext import MathTextParser
    except ImportError:  # the figure says so
        return
    for line in filter(cbook.is_math_text, text.split("\n")):
        try:
            MathTextParser("path").parse(line)
        except (ValueError, RuntimeError) as error:
            raise InputError(
                f"{name} is not mathematics that matplotlib can read: {briefly(line)}; write \\$ for a "
                "dollar sign"
            ) from error


def some_titles(value: Any, name: str) -> Any:
    """Return `value` after checking that it is None, a text, or a list of texts."""
    if value is None:
        return None
    if isinstance(value, str):
        return a_title(value, name)
    several = value if isinstance(value, list | tuple) else [None]
    if not all(isinstance(one, str) for one in several):
        raise InputError(f"{name} must be text, a list of texts, or None; not {briefly(value)}")
    return [a_title(one, name) for one in several]


def some_limits(value: Any, name: str) -> Any:
    """Return `value` after checking that it is None, False, or (low, high).

    Examples
    --------
    >>> some_limits([0, 2], "ylim"), some_limits(False, "ylim")
    ((0.0, 2.0), False)
    """
    if value is None or value is False:
        return value
    given = list(value) if isinstance(value, Sequence | np.ndarray) else []
    ends = [as_float(end) for end in given]
    low, high = ends if len(ends) == 2 and None not in ends else (0.0, 0.0)
    if not (low is not None and high is not None and low < high and np.isfinite(high - low)):
        raise InputError(f"{name} must be (low, high), None or False; not {briefly(value)}")
    return low, high


def film_limits(value: Any, name: str) -> Any:
    """Return checked limits; a text, which says when they are set anew, is checked by the film."""
    return value if isinstance(value, str) else some_limits(value, name)


def a_color_map(value: Any, name: str) -> Any:
    """Return `value` after checking that it is a colour map of matplotlib, or the name of one."""
    try:
        from matplotlib import colormaps
        from matplotlib.colors import Colormap
    except ImportError:  # the figure says so
        return value
    if isinstance(value, Colormap):
        return value
    if not isinstance(value, str):
        raise InputError(
            f"{name} must be the name of a colour map, such as 'gray'; not {briefly(value)}"
        )
    if value not in colormaps:
        raise unknown_name(name, value, sorted(colormaps))
    return value


def drawing_axes(value: Any, name: str) -> Any:
    """Return `value` after checking that it is None or axes of matplotlib."""
    check_axes(value, name)
    return value


def several_axes(value: Any, name: str) -> list[Any]:
    """Return one or several axes as a list, after checking that they are axes."""
    given = list(value) if isinstance(value, list | tuple | np.ndarray) else [value]
    if not given or not all(hasattr(one, "plot") for one in given):
        raise InputError(
            f"{name} must be axes of matplotlib, or a list of them; not {briefly(value)}"
        )
    return given


def an_index(value: Any, name: str) -> int:
    """Return `value` as an int, after checking that it is a whole number."""
    return whole(value, name)


#: Axes that must be there, and a figure.
axes_there = like("axes of matplotlib", "plot", "set_ylim")
plot_figure = like("a figure of matplotlib", "add_axes", "axes")


def real_numbers(value: Any, name: str) -> np.ndarray:
    """Return real numbers of a list, an array or a tensor in double precision."""
    return _numbers(value, name, "biuf")


def plain_numbers(value: Any, name: str) -> np.ndarray:
    """Return real or complex numbers of a list, an array or a tensor."""
    return _numbers(value, name, "biufc")


def _numbers(value: Any, name: str, kinds: str) -> np.ndarray:
    try:
        given = to_numpy(value) if hasattr(value, "detach") else np.asarray(value)
    except (ValueError, TypeError, RuntimeError):  # lists of different lengths
        given = np.empty(0, dtype=object)
    if given.dtype.kind not in kinds:
        raise InputError(f"{name} must be numbers; not {briefly(value)}")
    return given if given.dtype.kind == "c" else given.astype(np.float64)


def named_arrays(value: Any, name: str) -> dict[Any, Any]:
    """Return a mapping as a dict, after checking that its values are tensors or arrays, at least one."""
    given = a_mapping(value, name)
    if not given or not all(hasattr(one, "shape") for one in given.values()):
        raise InputError(
            f"{name} must be tensors or arrays by their names, at least one; not {briefly(value)}"
        )
    return given


def positive_numbers(value: Any, name: str) -> dict[Any, float]:
    """Return a mapping as a dict of floats, after checking that they are above 0 and below a million."""
    found = {key: as_float(one) for key, one in a_mapping(value, name).items()}
    for key, number in found.items():
        if number is None or not 0 < number < 1e6:
            raise InputError(
                f"{name} must have a positive number for {key!r}; not {briefly(value)}"
            )
    return found  # type: ignore[return-value]


def a_frame_rate(value: Any, name: str) -> float:
    """Return frames per second as a float, after checking that it is above 0 and below 1000."""
    rate = as_float(value)
    if rate is None or not 0 < rate < 1000:
        raise InputError(f"{name} must be a number of frames per second; not {briefly(value)}")
    return rate


def list_of_names(*known: str) -> Any:
    """Return the gate of lists of names, which are checked where they are used."""

    def gate(value: Any, name: str) -> list[str]:
        good = isinstance(value, Iterable) and not isinstance(value, str | bytes | type)
        given: list[Any] = list(value) if good else [None]
        if not all(isinstance(one, str) for one in given):
            raise InputError(f"{name} must be a list of names{_such(known)}; not {briefly(value)}")
        return given

    return gate


def _such(known: Sequence[str]) -> str:
    return f", such as {list(known)}" if known else ""


@contextmanager
def drawn_with(options: Mapping[str, Any]) -> Iterator[None]:
    """Turn what matplotlib raises for a user's options into one sentence.

    Raises
    ------
    InputError
        In place of what matplotlib raises.
    """
    try:
        yield
    except InputError:
        raise
    except _RAISED as error:
        if not options:
            raise
        given = ", ".join(f"{name}={briefly(value)}" for name, value in options.items())
        said = " ".join(str(error).split())
        cut = said if len(said) <= _LONGEST else said[:_LONGEST].rstrip() + "…"
        raise InputError(f"matplotlib cannot draw with {given}: {cut}") from error
