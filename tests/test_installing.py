"""What the project says of its installation: extras that are imported, pins, and the runs of its tests."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
#: Packages that are imported under another name.
IMPORTED_AS = {"pillow": "PIL", "scikit-image": "skimage"}
#: Packages that nothing imports: commands, and plugins of others.
NOT_IMPORTED = {"ruff", "mypy", "import-linter", "pytest-cov", "pytest-xdist", "ipykernel"}
SOURCES = [
    path.read_text(encoding="utf-8")
    for folder in ("stimuli_store", "stimsynth", "experiments", "analysis", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
]


@pytest.fixture(scope="module")
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def packages(requirements: list[str]) -> list[str]:
    return re.findall(r"^[\w.-]+", "\n".join(requirements), re.MULTILINE)


def is_imported(package: str) -> bool:
    name = re.escape(IMPORTED_AS.get(package, package))
    line = rf'(^\s*(import|from) |importorskip\("|import_module\("){name}\b'
    return any(re.search(line, text, re.MULTILINE) for text in SOURCES)


# The packages of `docs` are imported by the site's own settings.
@pytest.mark.parametrize("extra", sorted(set(EXTRAS) - {"all", "docs"}))
def test_every_package_of_an_extra_is_imported(extra: str) -> None:
    assert [
        name
        for name in packages(EXTRAS[extra])
        if name not in NOT_IMPORTED and not is_imported(name)
    ] == []


def test_every_tool_of_the_developers_is_pinned() -> None:
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert set(packages(EXTRAS["dev"])) <= set(pinned)


def test_what_installs_the_project_names_the_checkout() -> None:
    """No package index holds the project, and whoever took its name there could install anything."""
    pages = [path.read_text(encoding="utf-8") for path in ROOT.glob("docs/**/*.md")]
    pages += [
        (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")
    ]
    own = (ROOT / __file__).read_text(encoding="utf-8")
    for text in [*pages, *(source for source in SOURCES if source != own)]:
        assert not re.search(r"pip install\W+stimsynth", text)


def test_coverage_is_summed_over_both_runs_of_the_tests(bootstrap: ModuleType) -> None:
    first, second = bootstrap.test_runs(["--cov"])
    assert first == [*bootstrap.test_runs([])[0], "--cov"]
    assert second == [*bootstrap.test_runs([])[1], "--cov-append", "--cov"]
    # A folder after the word would be measured instead of tested.
    assert bootstrap.test_runs(["--cov", "tests/store"]) == [["tests/store", "--cov"]]
    assert bootstrap.test_runs(["tests/store"]) == [["tests/store"]]
