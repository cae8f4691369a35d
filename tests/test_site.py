"""What the site rests on: examples of public names, its check of links, its list of sources."""

import importlib
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.fixture(autouse=True)
def extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The site's own extensions can be imported."""
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))


def public_names() -> dict[str, Any]:
    """Every public function and class by the name under which the reference describes it."""
    homes = re.findall(
        r"\.\. public-names:: (\S+)", "".join(p.read_text() for p in DOCS.glob("reference/*.rst"))
    )
    assert len(homes) == 13
    found: dict[int, tuple[str, Any]] = {}
    for home in sorted(homes, key=lambda home: -home.count(".")):
        for name in (module := importlib.import_module(home)).__all__:
            thing = getattr(module, name)
            if callable(thing):
                found.setdefault(id(thing), (f"{home}.{name}", thing))
    return dict(found.values())


def has_example(thing: Any) -> bool:
    members = vars(thing).values() if inspect.isclass(thing) else ()
    return any(">>> " in (inspect.getdoc(part) or "") for part in (thing, *members))


def test_every_public_name_has_an_example() -> None:
    """They are run: pytest collects doctests."""
    pytest.importorskip("matplotlib")
    found = public_names()
    assert len(found) > 250
    assert [name for name, thing in found.items() if not has_example(thing)] == []


def test_every_model_and_metric_has_a_source() -> None:
    from stimsynth import metrics, models

    page = (DOCS / "citing.md").read_text(encoding="utf-8")
    names = (set(models.__all__) | set(metrics.__all__)) - {"MODELS"}
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_the_citation_is_of_this_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"version: {project['version']}\n" in citation
    assert f"license: {project['license']}\n" in citation
    assert "doi" not in citation.lower()
    page = (DOCS / "citing.md").read_text(encoding="utf-8")
    assert f"version {project['version']}" in page


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    links = importlib.import_module("links")
    (tmp_path / "one.html").write_text('<a href="two.html#here">a</a><a href="https://x.org">b</a>')
    (tmp_path / "two.html").write_text('<p id="here"></p><a href="#there"></a><img src="no.png">')
    (tmp_path / "three.html").write_text('<script src="https://cdn.org/a.js"></script>')
    assert list(links.faults(tmp_path)) == [
        "three.html loads https://cdn.org/a.js from another server",
        *sorted(f"two.html links to {to}, which is not there" for to in ("#there", "no.png")),
    ]
    (tmp_path / "two.html").write_text('<p id="here"></p><a href="one.html"></a><a href=""></a>')
    (tmp_path / "three.html").unlink()
    assert list(links.faults(tmp_path)) == []
