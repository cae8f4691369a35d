"""Progress bars, all made here: time left on a terminal or in a notebook, silence elsewhere."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tqdm import tqdm

_LINE = "{l_bar}{bar}| {n:.{digits}f}/{total:.0f} [{elapsed}<{remaining}{postfix}]"
_LEAST_BAR, _TIMES = 10, len("0:00:00<0:00:00")
_INSIDE = (
    0.95  # of a share that bars inside it can fill; how many of them there will be is not known
)


class ProgressBar(tqdm):
    """A bar that can be moved by the bars inside one of its steps, and shows the fields that fit its line."""

    def __init__(self, *, part_of: "_Share | None", **how: Any) -> None:
        self._part_of = part_of
        self._steps = 0.0  # a bar that is not drawn does not count itself
        # Drawn by time alone: tqdm's own guess would wait for as many units as the largest step had.
        super().__init__(bar_format=_LINE.replace("{digits}", "0"), smoothing=0, miniters=0, **how)

    def update(self, n: float | None = 1) -> bool | None:
        """Count further units, and move the bar whose step this bar is inside."""
        drawn = super().update(n)
        if self._part_of is not None and self.total:
            self._steps += n or 0
            self._part_of.reach(min(1.0, self._steps / self.total))
        return drawn

    @contextmanager
    def step(self, units: int) -> Iterator[None]:
        """Count `units` at the end of a block; bars made in the block move this one meanwhile."""
        share = _Share(self, units)
        self.bar_format = _LINE.replace("{digits}", "1")  # parts of a unit
        token = _SHARE.set(share)
        try:
            yield
        finally:
            _SHARE.reset(token)
        share.finish()

    def set_fields(self, fields: Mapping[str, Any]) -> None:
        """Show the first fields that fit the line whole, at the next drawing."""
        if self.disable:
            return
        title = len(self.desc.removesuffix(": ")) + len(": 100%||  [, ]")
        room = (self.ncols or sys.maxsize) - title - 2 * len(str(self.total)) - _TIMES - _LEAST_BAR
        shown = []
        for name, value in fields.items():
            room -= len(f"{name}={value}, ")
            if room < 0:
                break
            shown.append(f"{name}={value}")
        self.set_postfix_str(", ".join(shown), refresh=False)


class _Share:
    """Part of a bar that the bars made in one of its steps fill, one after the other."""

    def __init__(self, bar: ProgressBar, units: int) -> None:
        self._bar, self._units, self._begin = bar, units, bar.n
        self._from = self._filled = 0.0

    def divide(self) -> "_Share":
        """Begin another bar inside, which fills what the ones before it have left."""
        self._from = self._filled
        return self

    def reach(self, fraction: float) -> None:
        """Move the bar to a fraction of the part that the bar inside fills."""
        self._filled = max(self._filled, self._from + (1 - self._from) * _INSIDE * fraction)
        self._bar.update(self._begin + self._units * self._filled - self._bar.n)

    def finish(self) -> None:
        self._bar.update(self._begin + self._units - self._bar.n)


_SHARE: ContextVar[_Share | None] = ContextVar("share", default=None)


def progress_bar(
    total: int,
    unit: str,
    *,
    title: str = "",
    done: int = 0,
    delay_s: float = 2.0,
    shown: bool = True,
) -> ProgressBar:
    """Return a progress bar for use as a context manager; it is silent where no terminal shows it.

    Made inside ``with outer.step(units):``, it moves that bar as it moves itself. In a notebook it is not
    drawn then, since one line of output can be drawn anew, and not two.

    Parameters
    ----------
    total
        Number of units that make up the whole.
    unit
        What is counted, in the singular.
    title
        Words before the bar; the plural of the unit if empty.
    done
        Units that were finished before, which say nothing of the time left.
    delay_s
        Seconds before it is first drawn.
    shown
        False for a bar that is silent everywhere.

    Examples
    --------
    >>> with progress_bar(2, "image") as bar, bar.step(2), progress_bar(100, "step") as inner:
    ...     _ = inner.update(50)
    """
    columns, rows = _size()
    share = _SHARE.get()
    return ProgressBar(
        part_of=share.divide() if share is not None else None,
        total=total,
        initial=done,
        desc=title or f"{unit}s",
        unit=unit,
        delay=delay_s,
        mininterval=0.2,
        leave=False,
        ncols=columns,
        nrows=rows,
        disable=not (shown and watched()) or (share is not None and _in_notebook()),
    )


def watched() -> bool:
    """Return whether standard error is a terminal or a notebook, which can show a bar."""
    return sys.stderr.isatty() or _in_notebook()


def _in_notebook() -> bool:
    return type(sys.stderr).__module__.startswith("ipykernel.")


def _size() -> tuple[int, int] | tuple[None, None]:
    """Return (columns, rows) for a terminal of unknown size, else (None, None)."""
    try:
        known = os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (AttributeError, OSError, ValueError):
        known = True
    return (None, None) if known else (80, 24)
