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
    """Return a progress bar for use as a context manager; it is silent where no terminal shows it.

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
    """Return whether standard error is a terminal or a notebook, which can show a bar."""
    return sys.stderr.isatty() or type(sys.stderr).__module__.startswith("ipykernel.")


def _size() -> tuple[int, int] | tuple[None, None]:
    """Return (columns, rows) for a terminal of unknown size, else (None, None)."""
    try:
        known = os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (AttributeError, OSError, ValueError):
        known = True
    return (None, None) if known else (80, 24)
