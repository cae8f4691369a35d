"""Plots show themselves in a notebook: no magic command, no pyplot, each once."""

import base64
from typing import Any

import pytest

pytestmark = pytest.mark.road

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

START = """
import sys
from types import SimpleNamespace
import numpy as np, torch
import analysis.plots
import pandas as pd
from analysis import dprime_from_counts, fit_psychometric, rank, read_trials
from analysis.data.counts import counts_of
from stimsynth import plots

counts = counts_of([8, 16, 32, 64, 128], [26, 31, 41, 48, 49], [50] * 5)
fit = fit_psychometric(counts.levels, counts.n_correct, counts.n_trials)

rng = np.random.default_rng(0)
trials = pd.DataFrame(
    {
        "participant": np.repeat(["ann", "ben", "cy", "dee"], 60),
        "image": np.tile(["leaf", "stone", "moss"], 80),
        "level": (level := rng.choice([1, 2, 4, 8], 240)),
        "correct": rng.random(240) < 0.5 + 0.06 * level,
        "right": level / 4.0,
        "wrong": rng.random(240),
    }
)
answers = read_trials(trials, {"evidence": {"right": "right", "wrong": "wrong"}}, task="abx")
ranking = rank(answers, n_draws=50)

rows = torch.rand(1, 1, 8, 8)
first, second = (lambda x, y: (x - y + 1).sum()), (lambda x, y: (x - y + 2).sum())
mad = SimpleNamespace(
    image=rows, initial_image=rows, mad_image=rows, saved_mad_image=rows[:0], store_progress=False,
    allowed_range=(0.0, 1.0), minmax="min", optimized_metric=first, reference_metric=second,
    optimized_metric_loss=torch.rand(5, 1), reference_metric_loss=torch.rand(5, 1),
)
largest = SimpleNamespace(**{**vars(mad), "minmax": "max"})
other = SimpleNamespace(**{**vars(mad), "optimized_metric": second, "reference_metric": first})
other_largest = SimpleNamespace(**{**vars(other), "minmax": "max"})
eig = SimpleNamespace(image=rows, eigendistortions=rows, eigenindex=torch.tensor([0]))
path = SimpleNamespace(losses=torch.rand(5, 1))
"""
#: Cells that end with a plot.
PLOTS = {
    "axes of numbers": "plots.plot_loss(path)",
    "axes of an image": "plots.display_mad_image(mad)",
    "axes of panels": "plots.display_eigendistortion(eig, zoom=8)",
    "a figure of images": "plots.display_mad_image_all(mad, other, largest, other_largest)",
    "a figure of numbers": "plots.plot_loss_all(mad, other, largest, other_largest)",
    "images of tensors": "plots.imshow(torch.rand(2, 1, 8, 8))",
    "a representation": "plots.plot_representation(data=torch.rand(1, 1, 9))",
    "a pair of axes": "plots.plot_loss(mad)",
    "a figure with the places of its axes": "plots.plot_synthesis_status(mad)",
    "drawn further": "ax = plots.plot_loss(path)\nax.axhline(1)\nax.set_title('mine')\nax",
    "the figure of axes": "plots.plot_loss(path).figure",
    "a fit": "analysis.plots.plot_fit(fit)",
    "its residuals": "analysis.plots.plot_residuals(fit)",
    "thresholds": "analysis.plots.plot_thresholds({'ann': fit})",
    "d'": "analysis.plots.plot_dprime({8: dprime_from_counts(30, 40)})",
    "a ranking": "analysis.plots.plot_ranking(ranking)",
    "timing": "analysis.plots.plot_timing([0, 0, 1])",
    "response times": "analysis.plots.plot_response_times([0.4, 0.5])",
    "stimuli": "analysis.plots.display_stimuli([[analysis.plots.Tile(pixels=np.eye(4), heading='I')]])",
}
#: Other cells, each with the number of pictures that belong under it.
CELLS = {
    "pyplot was not needed": ("assert 'matplotlib.pyplot' not in sys.modules", 0),
    "nothing is shown unasked": ("ax = plots.plot_loss(path)", 0),
    "several are displayed": ("display(plots.plot_loss(path), plots.plot_loss(mad))", 2),
    "axes of pyplot are shown once": (
        "import matplotlib.pyplot as plt\n"
        "_, mine = plt.subplots(1, 2)\n"
        "plots.plot_loss(path, ax=mine[0])\n"
        "plots.plot_pixel_values(mad, ax=mine[1])",
        1,
    ),
    "pyplot's own way is not changed": ("plt.plot([1, 2])\nplots.plot_loss(path);", 1),
    "and the magic word does no harm": ("%matplotlib inline\nplots.plot_loss(path)", 1),
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Pictures under each cell, in the form that a notebook keeps."""
    home = tmp_path_factory.mktemp("home")
    sources = {"start": START, **PLOTS, **{name: code for name, (code, _) in CELLS.items()}}
    cells = [nbformat.v4.new_code_cell(code) for code in sources.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(home / name))
        nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    return {
        name: [output for output in cell.outputs if "image/png" in output.get("data", {})]
        for name, cell in zip(sources, notebook.cells, strict=True)
    }


@pytest.mark.parametrize("name", PLOTS)
def test_a_cell_that_ends_with_a_plot_shows_it(name: str, pictures: Any) -> None:
    assert "pyplot" not in PLOTS[name]
    assert "%" not in PLOTS[name]
    (output,) = pictures[name]
    png = base64.b64decode(output["data"]["image/png"])
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    size = output["metadata"]["image/png"]
    assert (width / size["width"], height / size["height"]) in ((1, 1), (2, 2))


@pytest.mark.parametrize("name", CELLS)
def test_each_plot_is_shown_as_often_as_was_asked(name: str, pictures: Any) -> None:
    assert len(pictures[name]) == CELLS[name][1]
