"""The README's lines and every example run as they stand."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.road

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
STUDY = ROOT / "examples" / "05_study"


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
    assert (tmp_path / "metamer.png").exists() == ("metamer.png" in BLOCKS[number])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.name)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(example), str(tmp_path / "out")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    assert list((tmp_path / "out").iterdir())


def test_the_study_is_a_plan_that_is_accepted_and_a_short_script(tmp_path: Path) -> None:
    from stimsynth.banks.plan import read_plan
    from stimsynth.banks.work import prepare

    assert len((STUDY / "build.py").read_text().splitlines()) <= 25
    folder = shutil.copytree(STUDY, tmp_path / "study")
    (folder / "photos").mkdir(exist_ok=True)
    for photo in (ROOT / "stimsynth" / "data").glob("c*_color.png"):
        shutil.copy(photo, folder / "photos")
    work = prepare(read_plan(folder / "plan.toml"), folder)
    kinds = {spec.kind for group in work.sets for spec in group.members}
    assert kinds == {"metamer", "mad", "eigendistortion", "geodesic", "external"}
    assert all(min(r.record.shape) >= 128 for r in work.references)


def test_the_readme_names_files_that_exist() -> None:
    assert len(BLOCKS) == 2
    assert len(EXAMPLES) >= 2
    for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / link).exists(), link
