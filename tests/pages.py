"""Pages of the site as readers type them: files, Python and commands, one block after another.

A block of Python runs in the page's own folder, with what the blocks before it made. A block with a
``:caption:`` is a file of that name. Of a block of ``console`` the lines with ``$ stimsynth`` are
run, but for those that open a window.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimsynth.cli import main

FENCE = re.compile(r"^```(\{code-block\} )?(\w+)\n((?::\w+: [^\n]*\n)*)(.*?)^```$", re.M | re.S)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: its language, its text, and the file that it is; an empty name if it is none."""

    language: str
    text: str
    file: str


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a Markdown page, from top to bottom."""
    found = []
    for _, language, options, text in FENCE.findall(page.read_text(encoding="utf-8")):
        caption = re.search(r":caption: (\S+)", options)
        found.append(
            Block(language=language, text=text.lstrip(), file=caption[1] if caption else "")
        )
    return found


def run(page: Path) -> dict[str, Any]:
    """Run a page's blocks in the working folder, and return the names that its Python made."""
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks_of(page):
        if block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            exec(compile(block.text, str(page), "exec"), names)
        elif block.language == "console":
            for line in re.findall(r"^\$ stimsynth (.*)$", block.text, re.MULTILINE):
                _command(line)
    return names


def _command(line: str) -> None:
    words = shlex.split(line, comments=True)
    if words[0] == "run" and "--simulate" not in words:
        return  # a window, and a person before it
    code = main(words)
    assert code == 0, f"stimsynth {line} ended with code {code}"
