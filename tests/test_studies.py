"""Every landmark study runs as a notebook in a fresh kernel, and its plans and designs hold."""

import importlib.util
import re
import runpy
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from analysis import link_of
from experiments import read_design
from stimsynth.banks.plan import read_plan
from stimsynth.banks.work import prepare
from stimuli_store.tasks import task_named

pytestmark = pytest.mark.road

pytest.importorskip("nbclient")
pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parents[1]
STUDIES = ROOT / "examples" / "studies"
NAMES = sorted(path.parent.name for path in STUDIES.glob("*/notebook.py"))
DOCS = ROOT / "docs" / "studies"
PAGES = sorted(path.stem for path in DOCS.glob("*.md") if path.stem != "index")
SIZES = ("small", "published")
#: A call in the last lines of a cell that draws.
DRAWS = re.compile(r"\b(plot_\w+|display_\w+|\w*show)\(")


@pytest.fixture(scope="module")
def run() -> ModuleType:
    """The script that executes studies."""
    spec = importlib.util.spec_from_file_location("run_study", STUDIES / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_a_study_runs_and_shows_a_picture_under_every_cell_that_draws(
    name: str,
    run: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for where in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(where, str(tmp_path / where))
    notebook = run.execute(name, "small", tmp_path / name)
    assert "encryption" not in capfd.readouterr().err  # what kernels warn about tells nothing here
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    drawing = [cell for cell in code if DRAWS.search(cell.source)]
    assert drawing
    for cell in drawing:
        pictures = run.pictures_of(cell)
        assert pictures, cell.source
        assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert code[-1] in drawing, "a study ends in a figure"


@pytest.mark.parametrize("name", NAMES)
def test_a_study_is_short_text_with_few_lines_of_code(name: str, run: ModuleType) -> None:
    script = (STUDIES / name / "notebook.py").read_text(encoding="utf-8")
    assert len(script.splitlines()) <= 80
    assert "pyplot" not in script
    assert "%matplotlib" not in script
    assert run.notebook_of(script).cells[0].cell_type == "markdown"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_plan_and_design_hold(name: str, size: str, tmp_path: Path) -> None:
    folder = shutil.copytree(STUDIES / name, tmp_path / name) / size
    if (frames := tmp_path / name / "frames.py").exists():  # makes the pictures that the plan names
        runpy.run_path(str(frames))["write_frames"](size)
    assert prepare(read_plan(folder / "plan.toml"), folder).batches
    assert read_design(folder / "design.toml").design.repeats > 0


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_the_figure_and_how_it_was_made(name: str) -> None:
    page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert f"]({name}.png)" in page
    assert (DOCS / f"{name}.png").exists()
    assert f"python examples/studies/run.py {name} --published" in page
    assert f"`{name}`" in (DOCS / "index.md").read_text(encoding="utf-8")


def test_names_that_the_script_offers_are_the_studies(run: ModuleType) -> None:
    assert run.names_of_studies() == NAMES == PAGES


def arc(degrees: float, n: int) -> np.ndarray:
    at = np.radians(degrees) * np.arange(n)
    return np.cumsum(np.stack([np.cos(at), np.sin(at)], axis=1), axis=0)


PERCEPTS = {
    "straight": (np.arange(5.0)[:, None], 0.0),
    "an arc": (arc(35.0, 6), 35.0),
    "an arc that turns by more than a right angle": (arc(110.0, 5), 110.0),
    "every step into a new dimension": (np.tril(np.ones((5, 4)), -1), 90.0),
    "in unequal steps": (np.array([0.0, 1.0, 1.6, 3.0])[:, None], 0.0),
}


@pytest.mark.parametrize("name", PERCEPTS)
def test_the_study_of_straightness_finds_the_curvature_of_known_percepts(name: str) -> None:
    percepts, degrees = PERCEPTS[name]
    estimate = runpy.run_path(str(STUDIES / "straightness" / "curvature.py"))[
        "perceptual_curvature"
    ]
    pairs = np.stack(np.triu_indices(len(percepts), 1), axis=1)
    link = link_of(task_named("abx"), "differencing")
    dprime = np.linalg.norm(percepts[pairs[:, 0]] - percepts[pairs[:, 1]], axis=1)
    n_trials = np.full(len(pairs), 1e6)
    found = estimate(pairs, n_trials * link.p_correct(dprime), n_trials, link)
    assert found == pytest.approx(degrees, abs=3.0)
