"""Lines that fit a terminal, in help texts and results."""

import argparse
import re
import shutil
import sys
from collections.abc import Iterable
from textwrap import wrap

_COLUMN = re.compile(r"(?:.*\s{2}|\s*)(?=\S)")  # up to the last text after two spaces or more


def fitted(line: str, width: int) -> str:
    """Return a line broken between words where it is wider than `width`, below the last column of its text.

    A column is a text after two spaces or more; one in the right half of the width has too little room.

    Examples
    --------
    >>> print(fitted("models    pooling7 agrees best with the answers", 26))
    models    pooling7 agrees
              best with the
              answers
    """
    if len(line) <= width:
        return line
    found = _COLUMN.match(line)
    column = found.end() if found else 0
    below = column if column <= width // 2 else len(line) - len(line.lstrip()) + 4
    parts = wrap(
        line,
        width,
        subsequent_indent=" " * below,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(parts)


class LinesThatFit(argparse.RawDescriptionHelpFormatter):
    """Help formatter that keeps the lines of a description or epilog, and breaks lines that are too wide."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        # argparse has no public way to lay out these texts.
        return "\n".join(fitted(indent + line, width) for line in text.splitlines())


def write_lines(lines: Iterable[str]) -> None:
    """Write lines to the standard output; lines that are wider than a terminal are broken to fit it."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        lines = [fitted(line, width) for line in lines]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
