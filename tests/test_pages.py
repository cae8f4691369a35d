"""The site's pages say what is true: their lines run as they stand, one after another."""

import sys
from pathlib import Path

import pytest

from stimsynth import images
from tests.pages import blocks_of, run

pytestmark = pytest.mark.road

DOCS = Path(__file__).parents[1] / "docs"
#: Pages with tests of their own, which also ask what the lines print; so have those for other packages.
OWN_TESTS = {"analysis.md", "banks.md", "extending.md", "tasks.md"}
PAGES = sorted(
    page.relative_to(DOCS).as_posix()
    for page in DOCS.rglob("*.md")
    if not {"_build", "coming_from"} & set(page.parts)
    and any(block.language == "python" for block in blocks_of(page))
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader's folder, with a photograph in it; Python finds the reader's own files there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    images.save(tmp_path / "photo.png", images.load("chelsea", size=256))
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if page not in OWN_TESTS])
def test_a_page_runs(page: str, folder: Path) -> None:
    pytest.importorskip("matplotlib")
    try:
        run(DOCS / page)
    finally:  # another page may have a file of the same name
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(str(folder)):
                del sys.modules[name]
