"""Names of our packages in pages and examples are there; a misspelt one is told with the nearest."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stimsynth.coming_from import PeerModule

ROOT = Path(__file__).parents[1]
OURS = ("stimsynth", "stimuli_store", "experiments", "analysis")
#: Names in prose, as in `stimsynth.plots.imshow(…)`.
NAMED = re.compile(rf"`((?:{'|'.join(OURS)})(?:\.[A-Za-z_]\w*)+)[`(]")
#: Pages that tell names of other packages, or of before.
OTHERS = ("docs/coming_from/", "docs/decisions/", "docs/_build/")
PAGES = [
    path
    for path in (*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md")
    if not path.relative_to(ROOT).as_posix().startswith(OTHERS)
]
SCRIPTS = sorted(ROOT.glob("examples/**/*.py"))
FILE_ENDS = ("py", "md", "toml", "h5", "jsonl", "commands", "egg")


def imported(source: str) -> Iterator[str]:
    """Yield the names that a script imports from our packages, with their module before them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in OURS:
            names = (alias.name for alias in node.names if alias.name != "*")
            yield from (f"{node.module}.{name}" for name in names)


def in_page(text: str) -> Iterator[str]:
    """Yield the names of a page: in its prose, and in its blocks of Python."""
    for name in NAMED.findall(text):
        if not name.endswith(FILE_ENDS):
            yield name
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from imported(re.sub(r"^[%!].*$", "", block, flags=re.MULTILINE))


def fault_of(name: str) -> str | None:
    """Return what is said of a name that is not there; None if it is."""
    first, *rest = name.split(".")
    found: object = importlib.import_module(first)
    for part in rest:
        try:
            found = getattr(found, part)
        except AttributeError as error:
            try:
                found = importlib.import_module(f"{getattr(found, '__name__', '')}.{part}")
            except ImportError:
                return str(error)
        if isinstance(found, PeerModule):
            return repr(found)
    return None


@pytest.mark.parametrize("path", [*PAGES, *SCRIPTS], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_names_are_there(path: Path) -> None:
    pytest.importorskip("matplotlib")
    text = path.read_text(encoding="utf-8")
    names = set(in_page(text) if path.suffix == ".md" else imported(text))
    assert {name: said for name in names if (said := fault_of(name))} == {}


@pytest.mark.parametrize("package", OURS)
def test_names_in_docstrings_are_there(package: str) -> None:
    """The site makes links of them, and cannot be built where one is gone."""
    pytest.importorskip("matplotlib")
    sources = (p for p in (ROOT / package).rglob("*.py") if p.name != "coming_from.py")
    named = {name for path in sources for name in NAMED.findall(path.read_text(encoding="utf-8"))}
    assert {name: said for name in named if (said := fault_of(name))} == {}


#: Pages with a mistake, and what is said of it.
WRONG = {
    "```python\nfrom stimsynth import Metamer, fti\n```\n": "did you mean 'fit'?",
    "```python\nif True:\n    from stimsynth.plots import imshwo\n```\n": "did you mean 'imshow'?",
    "Use `stimsynth.transforms.make_dsk(size)` for it.": "did you mean 'make_disk'?",
    "As `analysis.fit_psychometrics` does.": "did you mean 'fit_psychometric'?",
    "See `stimsynth.tools`.": "names of plenoptic's tools; here they are in",
}


@pytest.mark.parametrize("page", WRONG)
def test_a_misspelt_name_is_found_and_gets_the_nearest(page: str) -> None:
    faults = [said for name in in_page(page) if (said := fault_of(name))]
    assert len(faults) == 1
    assert WRONG[page] in faults[0]
    assert faults[0].count("\n") == 0
