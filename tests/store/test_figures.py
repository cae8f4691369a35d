"""Figures show themselves: the picture a notebook asks for, and its size on the page."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from stimuli_store.tools.figures import PlotAxes, PlotTuple, axes_in_row, new_figure, to_png


def pixels(shown: Any) -> tuple[np.ndarray, tuple[int, int]]:
    png, size = shown
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("L")), (size["width"], size["height"])


def axes(dpi: float = 100) -> PlotAxes:
    return axes_in_row(new_figure(3, 2, dpi=dpi))[0]


@pytest.mark.parametrize("dpi", [72, 100])
def test_curves_are_shown_with_two_pixels_for_one_of_the_page(dpi: int) -> None:
    drawn = axes(dpi)
    drawn.plot([0, 1])
    picture, page = pixels(drawn._repr_png_())
    assert page == (3 * dpi, 2 * dpi)
    assert picture.shape == (4 * dpi, 6 * dpi)


def test_a_pixel_of_an_image_is_a_pixel_of_the_page() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (144, 216)).astype(np.uint8)
    drawn = axes(72)
    drawn.set_position((0, 0, 1, 1))
    drawn.set_axis_off()
    drawn.imshow(grey, cmap="gray", vmin=0, vmax=255, aspect="auto", interpolation="nearest")
    picture, page = pixels(drawn._repr_png_())
    assert page == (216, 144)
    np.testing.assert_allclose(picture, grey, atol=1)


def test_axes_and_tuples_show_all_of_their_figure() -> None:
    figure = new_figure(4, 2)
    pair = axes_in_row(figure, [1, 2])
    inside = figure.subfigures(1, 2)[1].add_subplot(axes_class=PlotAxes)
    for shown in (pair[1], inside, PlotTuple(pair), PlotTuple((figure, {"loss": 0}))):
        assert shown._repr_png_() == figure._repr_png_()


def test_axes_tuples_and_figures_are_saved_alike(tmp_path: Path) -> None:
    figure = new_figure(4, 2)
    pair = axes_in_row(figure, [1, 2])
    for number, plot in enumerate((figure, pair[0], PlotTuple(pair), PlotTuple((figure, {})))):
        plot.figure.savefig(tmp_path / f"{number}.png")
    PlotTuple(pair).savefig(tmp_path / "4.png")
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert len(files) == 5
    assert len(set(files)) == 1


def test_figures_of_others_are_left_to_others() -> None:
    theirs = Figure()
    assert PlotTuple((theirs.add_subplot(), 1))._repr_png_() is None
    assert PlotTuple((theirs, 1))._repr_png_() is None
    assert theirs.add_subplot(axes_class=PlotAxes)._repr_png_() is None


def test_no_time_stamp_enters_so_that_the_same_plot_is_the_same_file() -> None:
    first, second = axes(), axes()
    assert to_png(first) == to_png(second)


def test_plots_can_be_pickled() -> None:
    drawn = axes()
    drawn.plot([0, 1])
    assert pickle.loads(pickle.dumps(drawn))._repr_png_() == drawn._repr_png_()
