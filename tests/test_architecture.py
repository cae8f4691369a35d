"""Layers, sizes and names: what each machine imports, contracts, and rules for files and text."""

import ast
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import fresh

ROOT = Path(__file__).parents[1]
BLOCKED = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(name + " is not on this machine")

sys.meta_path.insert(0, Refuse())
for package in {packages!r}:
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, package + "."):
        if not module.name.startswith({skip!r}) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
loaded = {blocked!r} & {{name.partition(".")[0] for name in sys.modules}}
assert not loaded, loaded
"""
FIGURES = ("stimuli_store.tools.figures",)
MACHINES = {
    # role: (packages it imports whole, what is not installed there, modules that belong to others)
    "store": (["stimuli_store"], {"torch", "psychopy", "pandas", "matplotlib"}, FIGURES),
    "booth": (["experiments"], {"torch", "pandas", "matplotlib", "pyrtools"}, ("-",)),
    "booth without a screen": (["experiments"], {"torch", "psychopy", "pandas"}, ("-",)),
    "cluster": (["stimsynth"], {"psychopy", "pandas", "matplotlib"}, ("-",)),
    "notebook": (["analysis"], {"torch", "psychopy"}, ("-",)),
    "booth's part of analysis": (["stimuli_store"], {"torch", "pandas", "matplotlib"}, FIGURES),
}

PACKAGES = ("stimuli_store", "stimsynth", "experiments", "analysis")
FILES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


@cache
def trees() -> dict[str, ast.Module]:
    """Return the parsed files; on first use, since every worker imports this module to collect its tests."""
    return {name: ast.parse(text) for name, text in FILES.items()}


MOST_FILES = 20
MOST_LINES = {"analysis": 300}
MOST_LINES_ELSEWHERE = 520
MOST_NAMES_TWICE = 8
MOST_UNCLEAR = 14

QUESTION = re.compile(r"(What|Whether|Where|Which|Who|When|Why|How|Say|See)\b")
INDIRECT = re.compile(r"\b(that|those) of\b|\bwhat (is|are|was|were)\b", re.IGNORECASE)


@pytest.mark.long
@pytest.mark.parametrize("role", MACHINES)
def test_every_module_imports_where_it_belongs(role: str) -> None:
    packages, blocked, skip = MACHINES[role]
    code = BLOCKED.format(blocked=blocked, packages=packages, skip=skip)
    if role == "booth's part of analysis":
        code += "\nimport analysis.observers.sdt, analysis.observers.simulated.model_observer"
        code += "\nassert not {'torch', 'pandas', 'matplotlib'} & set(sys.modules)"
    result = said_by(code, without=blocked)
    assert result.returncode == 0, result.stderr


def said_by(code: str, *, without: set[str]) -> "subprocess.CompletedProcess[str]":
    """Run code in an interpreter that must not find, or must not load, some packages."""
    if "torch" not in without:
        return fresh.run(["-c", code], ROOT)
    words = [sys.executable, "-c", code]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("stimuli_store.errors", {"torch", "psychopy", "pandas", "matplotlib", "numpy", "h5py"}),
        ("experiments", {"torch", "psychopy", "pandas", "matplotlib"}),
        ("experiments.session", {"torch", "psychopy", "pandas", "matplotlib"}),
        ("stimsynth", {"torch", "psychopy", "pandas", "matplotlib", "numpy", "h5py"}),
        ("stimsynth.cli", {"torch", "psychopy", "pandas", "matplotlib", "scipy"}),
        ("stimsynth.banks.build", {"psychopy", "pandas", "matplotlib"}),
        ("analysis", {"torch", "psychopy", "pandas", "matplotlib"}),
        ("analysis.report.write", {"torch", "psychopy"}),
    ],
)
def test_importing_loads_nothing_heavy(package: str, never: set[str]) -> None:
    code = f"import sys, {package}; print(' '.join({never!r} & set(sys.modules)))"
    result = said_by(code, without=never)
    assert (result.returncode, result.stdout.split()) == (0, []), result.stderr


def test_the_layers_hold() -> None:
    """The contracts of .importlinter, as the linter itself sees them."""
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_help_lists_every_command_and_is_quick_to_load() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "stimsynth", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for command in ("demo", "build", "bank", "run", "analyse", "doctor"):
        assert f"\n    {command} " in result.stdout


def test_a_folder_holds_at_most_twenty_files() -> None:
    everything = (path for package in PACKAGES for path in (ROOT / package).rglob("*.*"))
    files = Counter(
        str(path.parent.relative_to(ROOT)) for path in everything if path.suffix != ".pyc"
    )
    assert {folder: n for folder, n in files.items() if n > MOST_FILES} == {}


def test_a_file_is_read_in_one_sitting() -> None:
    lines = {name: len(text.splitlines()) for name, text in FILES.items()}
    most = {name: MOST_LINES.get(name.partition("/")[0], MOST_LINES_ELSEWHERE) for name in lines}
    assert {name: n for name, n in lines.items() if n > most[name]} == {}


def public_names(tree: ast.Module) -> Iterator[str]:
    """Names that a module defines at its top level, without those that begin with an underscore."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                names = [name]
            case ast.Assign(targets=targets):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case _:
                names = []
        yield from (name for name in names if not name.startswith("_"))


@pytest.mark.long
def test_a_public_name_means_one_thing() -> None:
    homes = defaultdict(list)
    for name, tree in trees().items():
        for public in public_names(tree):
            homes[public].append(name)
    twice = {public: where for public, where in homes.items() if len(where) > 1}
    assert len(twice) <= MOST_NAMES_TWICE, twice


def first_sentences() -> Iterator[tuple[str, str]]:
    """Place and first sentence of every docstring."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, kinds) and (text := ast.get_docstring(node)):
                first = re.split(r"(?<=[.!?])\s|\n\n", text, maxsplit=1)[0]
                yield f"{name}:{getattr(node, 'lineno', 1)}", " ".join(first.split())


def is_unclear(sentence: str) -> bool:
    """Whether a sentence asks or points instead of naming the thing or saying what is done."""
    return bool(QUESTION.match(sentence) or INDIRECT.search(sentence))


def test_first_sentences_name_the_thing() -> None:
    found = [f"{place}: {first}" for place, first in first_sentences() if is_unclear(first)]
    assert len(found) <= MOST_UNCLEAR, f"{len(found)} of them:\n" + "\n".join(found)


def test_the_check_of_first_sentences_sees_what_it_should() -> None:
    for bad in ("What is held.", "Say whether it is.", "How they end.", "Return that of an image."):
        assert is_unclear(bad)
    for good in ("Return the image.", "Objective, gradient and held terms at n points."):
        assert not is_unclear(good)


def test_each_decision_has_a_number_of_its_own() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == list(range(1, len(pages) + 1))
    for page, number in zip(pages, numbers, strict=True):
        assert page.read_text(encoding="utf-8").startswith(f"# {number}. "), page.name
