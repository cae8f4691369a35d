"""No task is written into the code: their names stand in declarations, closed forms and texts."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from stimuli_store.tasks import ALIASES, TASKS

ROOT = Path(__file__).parents[1]
PACKAGES = ("stimuli_store", "stimsynth", "experiments", "analysis")
#: Where names may stand: declarations, the table of closed forms, words for people.
HOMES = (
    "stimuli_store/tasks/",
    "analysis/observers/links.py",
    "experiments/texts/",
)
#: Words that are places, directions, or ordinary words as well as names. Digits are left out too.
COMMON = {"left", "right", "middle", "first", "second", "picture", "sample", "pair"}
INTERVALS = {name for task in TASKS.values() for name in task.intervals if not name.isdigit()}
NAMES = ({*TASKS, *ALIASES} | INTERVALS) - COMMON
#: Words that are the names of something else in a file: there is a comparison of this name.
OTHER_MEANINGS = {("experiments/comparisons.py", "mad-pair")}
#: Packages that handle no intervals, so that A, B and X are letters of colour spaces and the like.
WITHOUT_INTERVALS = {"stimuli_store", "stimsynth"}


def constants(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and value of every string constant that is no docstring."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if text and id(node) not in docstrings:
            yield node.lineno, node.value


@pytest.mark.parametrize("package", PACKAGES)
def test_no_task_or_interval_is_named_in_the_code(package: str) -> None:
    found = [
        f"{name}:{line}: {value!r}"
        for path in sorted((ROOT / package).rglob("*.py"))
        if not (name := path.relative_to(ROOT).as_posix()).startswith(HOMES)
        for line, value in constants(ast.parse(path.read_text(encoding="utf-8")))
        if value in NAMES
        and (name, value) not in OTHER_MEANINGS
        and not (package in WITHOUT_INTERVALS and len(value) == 1)
    ]
    assert not found, "\n".join(found)


def test_names_are_found_where_they_stand() -> None:
    tree = ast.parse('def f():\n    "abx"\n    return {"abx": "A"}')
    assert [value for _, value in constants(tree) if value in NAMES] == ["abx", "A"]
    assert {"abx", "oddity", "2afc", "X", "before-left"} <= NAMES
