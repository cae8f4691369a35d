"""Execute a study as a notebook, in a fresh kernel and a folder of its own.

Run it: python examples/studies/run.py NAME [--published] [--out FOLDER]
"""

import base64
import os
import re
import shutil
import sys
import time
from pathlib import Path

import nbclient
import nbformat
from nbformat import NotebookNode

from stimuli_store.tools.command_line import NamesTheNearest

STUDIES = Path(__file__).resolve().parent
_MARK = re.compile(r"^# %%(.*)\n", re.MULTILINE)
_LONGEST_S = 24 * 3600


def names_of_studies() -> list[str]:
    """Return the names of all studies, which are those of their folders."""
    return sorted(path.parent.name for path in STUDIES.glob("*/notebook.py"))


def notebook_of(script: str) -> NotebookNode:
    """Return the notebook of a script whose cells begin with ``# %%``, those of text ``# %% [markdown]``.

    Text after the mark of a cell of code is a comment in it.

    Examples
    --------
    >>> [c.cell_type for c in notebook_of("# %% [markdown]\\n# # Title\\n# %%\\n1 + 1\\n").cells]
    ['markdown', 'code']
    """
    _, *parts = _MARK.split(script)
    cells = []
    for mark, body in zip(parts[::2], parts[1::2], strict=True):
        if mark.strip() == "[markdown]":
            text = re.sub(r"^# ?", "", body.strip(), flags=re.MULTILINE)
            cells.append(nbformat.v4.new_markdown_cell(text))
        else:
            comment = f"#{mark}\n" if mark.strip() else ""
            cells.append(nbformat.v4.new_code_cell(comment + body.strip()))
    return nbformat.v4.new_notebook(cells=cells)


def execute(name: str, size: str, folder: Path) -> NotebookNode:
    """Return the executed notebook of a study.

    Parameters
    ----------
    name
        Name of the study.
    size
        ``"small"`` or ``"published"``: the folder with the plan and the design that are used.
    folder
        Where the study is copied to, and where its bank and journals go. What is there already, such as
        finished batches of the bank, is used again.
    """
    shutil.copytree(STUDIES / name, folder, dirs_exist_ok=True)
    notebook = notebook_of((folder / "notebook.py").read_text(encoding="utf-8"))
    client = nbclient.NotebookClient(
        notebook,
        timeout=_LONGEST_S,
        kernel_name="python3",
        # A warning of every kernel that its sockets on this machine are not encrypted tells nothing here.
        extra_arguments=["--IPKernelApp.log_level=40"],
        resources={"metadata": {"path": str(folder)}},
    )
    made = client.execute(env={**os.environ, "STUDY_SIZE": size})
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_bar(output)]
    return made


def _is_bar(output: NotebookNode) -> bool:
    """Return whether an output is a bar of progress, which moves the cursor within or between lines."""
    text = output.get("text", "x")
    return "\r" in text or not text.replace("\x1b[A", "").strip()


def pictures_of(cell: NotebookNode) -> list[bytes]:
    """Return the PNG pictures under a cell."""
    found = [output.get("data", {}).get("image/png") for output in cell.get("outputs", [])]
    return [base64.b64decode(picture) for picture in found if picture]


def main() -> int:
    """Execute a study, write its notebook and its last figure, and print how long it took."""
    parser = NamesTheNearest(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=names_of_studies())
    parser.add_argument(
        "--published", action="store_true", help="the size of the paper, not a small one"
    )
    parser.add_argument("--out", type=Path, help="folder for all results (default: out/NAME-SIZE)")
    asked = parser.parse_args()
    size = "published" if asked.published else "small"
    folder = (asked.out or Path("out") / f"{asked.name}-{size}").resolve()
    began = time.perf_counter()
    try:
        notebook = execute(asked.name, size, folder)
    except nbclient.exceptions.CellExecutionError as error:
        print(f"{asked.name} did not end: {error.ename}: {error.evalue}", file=sys.stderr)
        return 1
    took = time.perf_counter() - began
    nbformat.write(notebook, folder / f"{asked.name}.ipynb")
    figures = [picture for cell in notebook.cells for picture in pictures_of(cell)]
    (folder / f"{asked.name}.png").write_bytes(figures[-1])
    print(f"{asked.name}, {size}: {took:.0f} s; notebook and figure are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
