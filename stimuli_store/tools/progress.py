"""Progress bars: time left on a terminal or in a notebook, silence elsewhere."""

import os
import sys
from typing import Any

from tqdm import tqdm


def progress_bar(
    total: int,
    unit: str,
    *,
    title: str = "",
    done: int = 0,
    delay_s: float = 2.0,
    shown: bool = True,
) -> "tqdm[Any]":
    """Return a progress bar, to be used as a context manager; where nobody would see it, it is silent.

    Parameters
    ----------
    total
        Number of units that make up the whole.
    unit
        What is counted, in the singular.
    title
        Words before the bar; the plural of the unit if empty.
    done
        Units that were finished before.
    delay_s
        Seconds before it is first drawn.
    shown
        False for a bar that is silent everywhere.

    Examples
    --------
    >>> with progress_bar(2, "image") as bar:
    ...     bar.update()
    """
    columns, rows = _size()
    return tqdm(
        total=total,
        initial=done,
        desc=title or f"{unit}s",
        unit=unit,
        delay=delay_s,
        mininterval=0.2,
        leave=False,
        ncols=columns,
        nrows=rows,
        disable=not (shown and watched()),
    )


def watched() -> bool:
    """Return True on a terminal and in a notebook, whose stream is no terminal."""
    return sys.stderr.isatty() or type(sys.stderr).__module__.startswith("ipykernel.")


def _size() -> tuple[int, int] | tuple[None, None]:
    """Return a size for a terminal that does not know its own, on which no bar would be seen."""
    try:
        known = os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (AttributeError, OSError, ValueError):
        known = True
    return (None, None) if known else (80, 24)
