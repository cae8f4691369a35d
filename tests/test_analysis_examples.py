"""Examples of analysis, executed as notebooks: a picture under every plot, a table under every result."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from analysis.planning.study_file import read_study

pytestmark = pytest.mark.road

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "analysis.md"
EXAMPLES = sorted((ROOT / "examples" / "answers").glob("*.py"))


def code_cells(text: str) -> list[str]:
    """The cells of a script with ``# %%`` between them, without those of text."""
    cells = re.split(r"^# %%", text, flags=re.MULTILINE)[1:]
    return [cell.partition("\n")[2].strip() for cell in cells if not cell.startswith(" [markdown]")]


def is_plot(cell: str) -> bool:
    return cell.splitlines()[-1].startswith("plot_")


@dataclass(frozen=True, kw_only=True)
class Executed:
    """Cells of an example with what stands under each."""

    cells: list[str]
    outputs: list[list[Any]] = field(repr=False)

    def shown(self, kind: str) -> list[str]:
        """The cells with an output of one kind under them."""
        return [
            cell
            for cell, outputs in zip(self.cells, self.outputs, strict=True)
            if any(kind in output.get("data", {}) for output in outputs)
        ]


def executed(cells: list[str], folder: Path) -> Executed:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    (folder / ".jupyter").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(folder / ".jupyter" / name))
        where = {"metadata": {"path": str(folder)}}
        nbclient.NotebookClient(made, timeout=300, kernel_name="python3", resources=where).execute()
    return Executed(cells=cells, outputs=[cell.outputs for cell in made.cells])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_shows_its_plots_and_tables(example: Path, tmp_path: Path) -> None:
    text = example.read_text()
    assert len(text.splitlines()) <= 40
    assert "pyplot" not in text
    assert "%matplotlib" not in text
    notebook = executed(code_cells(text), tmp_path)
    plots = [cell for cell in notebook.cells if is_plot(cell)]
    results = [cell for cell in notebook.shown("text/plain") if not is_plot(cell)]
    assert plots
    assert len(results) >= 2
    assert notebook.shown("image/png") == plots
    assert notebook.shown("text/html") == results
    for outputs in notebook.outputs:
        for output in outputs:
            assert "<table" in output.get("data", {}).get("text/html", "<table")


def test_there_is_an_example_for_each_job() -> None:
    assert [path.stem for path in EXAMPLES] == [
        "bank_to_ranking",
        "oddity_by_model",
        "own_csv",
        "power",
    ]


def write_trials(path: Path) -> None:
    """The table that the guide reads: five people and a pilot, three photographs, two places, two sides."""
    rng = np.random.default_rng(4)
    people = ["pilot", "ann", "ben", "cy", "dee", "eva"]
    grid = [people, ["leaf", "moss", "sand"], ["near", "far"], [2, 4, 8, 16], range(10)]
    names = ["subj", "photo", "place", "size", "rep"]
    rows = pd.MultiIndex.from_product(grid, names=names).to_frame(index=False).drop(columns="rep")
    halfway = rows.place.map({"near": 3.0, "far": 6.0})
    right = rng.random(len(rows)) < 0.5 + 0.48 * ndtr(np.log2(rows["size"] / halfway))
    left = rng.random(len(rows)) < 0.5
    rows["side"] = np.where(left, "left", "right")
    rows["key"] = np.where(left == right, "left", "right")
    rows["RT"] = rng.lognormal(6.0, 0.5, len(rows)).round()
    rows["ssim"] = rows["size"] / halfway
    rows.to_csv(path, index=False)


def test_the_guides_code_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    write_trials(tmp_path / "trials.csv")
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        exec(block, known)
    assert known["fits"].table.place.tolist() == ["far", "near"]
    assert known["found"]["far", "near"].estimate.low > 1
    assert known["ranking"].rows[0].label == "ssim"
    assert "equivalent" not in capsys.readouterr().out


def test_the_guides_study_is_a_plan(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    plan = read_study(tmp_path / "study.toml")
    assert [design.n_participants for design in plan.designs] == [5, 10, 20]
    assert sorted(plan.truth) == ["far", "near"]


def test_the_guides_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", GUIDE.read_text())
    assert links
    for link in links:
        assert (GUIDE.parent / link).exists(), link
