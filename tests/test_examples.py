"""The README's lines, the gallery and the notebooks run as they stand, and show what they draw."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.road

pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

from tests.notebooks import cells_of, executed  # noqa: E402

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
GALLERY = sorted((ROOT / "examples").glob("*.py"))
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.py"))
EVERY_KIND = ROOT / "examples" / "every_kind"


@pytest.mark.parametrize("path", [*GALLERY, *NOTEBOOKS], ids=lambda path: path.stem)
def test_an_example_shows_a_picture_under_every_cell_that_draws(path: Path, tmp_path: Path) -> None:
    script = path.read_text(encoding="utf-8")
    assert "pyplot" not in script
    assert "%matplotlib" not in script
    shown = executed(script, tmp_path)
    assert [s.cell.code for s in shown if s.pictures == 1] == [
        s.cell.code for s in shown if s.cell.draws
    ]
    assert max(s.pictures for s in shown) == 1
    assert [s.stderr for s in shown if "Warning" in s.stderr] == []


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_an_example_of_the_gallery_is_short_and_ends_in_a_figure(path: Path) -> None:
    script = path.read_text(encoding="utf-8")
    title, line = cells_of(script)[0].text.split("\n")[:2]
    assert line == "=" * len(title)
    assert len(script.splitlines()) <= 80
    assert cells_of(script)[-1].draws
    assert all(cell.text or cell.draws for cell in cells_of(script))


def test_the_gallery_has_twelve_examples_and_two_notebooks() -> None:
    assert [path.stem[:2] for path in GALLERY] == [f"{number:02d}" for number in range(1, 13)]
    assert [path.stem for path in NOTEBOOKS] == ["analyse_a_session", "design_a_bank"]


def test_cells_are_told_apart() -> None:
    title, one, two = cells_of('"""\nT\n=\n"""\n# %%\n# Text.\nx = 1\n# %%\nimshow(x)\n')
    assert (title.text, title.code) == ("T\n=", "")
    assert (one.text, one.code, one.draws) == ("Text.", "x = 1", False)
    assert (two.text, two.code, two.draws) == ("", "imshow(x)", True)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_readmes_code_runs(number: int, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", BLOCKS[number]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    for name in re.findall(r"save\w*\(\"(.*?)\"", BLOCKS[number]):
        assert (tmp_path / name).exists()


def test_the_readme_names_files_that_exist() -> None:
    assert BLOCKS
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


def test_the_bank_of_every_kind_is_a_plan_that_is_accepted_and_a_short_script(
    tmp_path: Path,
) -> None:
    from stimsynth.banks.plan import read_plan
    from stimsynth.banks.work import prepare

    assert len((EVERY_KIND / "build.py").read_text().splitlines()) <= 25
    folder = shutil.copytree(EVERY_KIND, tmp_path / "bank")
    (folder / "photos").mkdir(exist_ok=True)
    for photo in (ROOT / "stimsynth" / "data").glob("c*_color.png"):
        shutil.copy(photo, folder / "photos")
    work = prepare(read_plan(folder / "plan.toml"), folder)
    kinds = {spec.kind for group in work.sets for spec in group.members}
    assert kinds == {"metamer", "mad", "eigendistortion", "geodesic", "external"}
    assert all(min(r.record.shape) >= 128 for r in work.references)
