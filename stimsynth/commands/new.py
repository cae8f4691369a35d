"""The command ``stimsynth new``: write the files of a study, which work as they are."""

import argparse
import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from stimuli_store.disk.atomic import write_atomically
from stimuli_store.errors import InputError
from stimuli_store.tools.own_packages import OUR_NAMES

_TEMPLATES = Path(__file__).parents[1] / "data" / "new"
_CODE = re.compile(r"^```python\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
_NEXT = """\
{files}
next, in the folder {folder}:
  stimsynth build plan.toml
  stimsynth run design.toml --participant S01 --simulate pooling7
  stimsynth analyse data/ --bank {name}-1.0.0.h5 --out report
or all of it in the notebook {name}.ipynb
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "new",
        help="write plan, design and notebook of a new study",
        description="Make a folder with the plan, the design and the notebook of a small study that works "
        "as it is: metamers of two photographs in ABX. Change them step by step into your own.",
    )
    parser.add_argument(
        "folder", type=Path, metavar="NAME", help="the folder to make; its name is that of the bank"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files, print the next steps, and return the exit code."""
    folder: Path = arguments.folder
    files = write_study(folder)
    sys.stdout.write(
        _NEXT.format(
            files="\n".join(map(str, files)),
            folder=shlex.quote(str(folder)),
            name=folder.resolve().name,
        )
    )
    return 0


def write_study(folder: Path) -> tuple[Path, ...]:
    """Write plan, design and notebook of a study into a new folder, and return their paths.

    Raises
    ------
    InputError
        If the folder is not empty, or its name cannot be that of a bank, or is that of a package of ours.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as here:
    ...     [path.name for path in write_study(Path(here) / "texture")]
    ['plan.toml', 'design.toml', 'texture.ipynb']
    """
    from stimuli_store.bank.format import check_name  # it loads numpy, which help does without

    name = check_name(folder.resolve().name)
    if name in OUR_NAMES:
        raise InputError(
            f"a folder named {name} beside your scripts would be taken for the package {name} of stimsynth; "
            f"give another name, such as my_{name}"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already and not empty; give another name")
    text = {
        path.name: path.read_text(encoding="utf-8").replace("@name@", name)
        for path in _TEMPLATES.iterdir()
    }
    notebook = json.dumps(notebook_of(text["notebook.md"]), indent=1, ensure_ascii=False) + "\n"
    contents = {
        "plan.toml": text["plan.toml"],
        "design.toml": text["design.toml"],
        f"{name}.ipynb": notebook,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        write_atomically(folder / file, content.encode())
    return tuple(folder / file for file in contents)


def notebook_of(text: str) -> dict[str, Any]:
    """Return a notebook, as its file holds it, of text with blocks of Python.

    Examples
    --------
    >>> [cell["cell_type"] for cell in notebook_of("# Sum\\n\\n```python\\n1 + 1\\n```\\n")["cells"]]
    ['markdown', 'code']
    """
    pieces = [piece.strip() for piece in _CODE.split(text)]  # text and code take turns
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code" if number % 2 else "markdown",
            "id": f"cell-{number}",
            "metadata": {},
            "source": piece.splitlines(keepends=True),
            **({"execution_count": None, "outputs": []} if number % 2 else {}),
        }
        for number, piece in enumerate(pieces)
        if piece
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
