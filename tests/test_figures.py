"""Every kind of figure: nothing is cut, nothing lies over something else, and it looks as it did."""

import inspect
import io
from collections.abc import Callable
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
from matplotlib import rc_context, style
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from analysis import plots as analysis_plots
from stimsynth import plots
from tests.analysis import test_plots as of_analysis
from tests.figures import catalogue
from tests.figures.catalogue import FIGURES, drawn, figure_of
from tests.figures.compare import (
    BASELINES,
    MOST_IN_A_BLOCK,
    MOST_RMS,
    STYLE,
    baseline_of,
    difference,
    picture_of,
    stored,
)
from tests.figures.letters import beside, smallest_points, texts
from tests.figures.sheets import LEAST_POINTS, MM, PAGE_MM

#: Numbers without a unit, whose axes have no names: outputs of models.
UNNAMED = (
    "output of numbers",
    "output of two layers",
    "statistics of a texture",
    "stems",
    "status of a texture",
)
_EDGE_PX = 1.0
_LINE_PX = 3.0  # below the letters of a line
#: Figures that follow a synthesis on a screen; for print they are given a smaller size.
ON_SCREENS = (
    *("status of a metamer", "status of a texture", "film of a metamer", "status of a competition"),
    "status of an optimized image",
)
#: Kinds that show one picture.
ALONE = ("metamer", "MAD image", "eigendistortion", "frame of a video", "images in colour")
#: Ways to lay out a figure.
LAYOUTS = ("images in rows", "output of two layers", "status of a competition", "fit", "ranking")


@pytest.fixture(scope="module", params=FIGURES)
def name(request: pytest.FixtureRequest) -> str:
    """Name of each figure in turn; all that is asked of one is asked together, so that it is drawn once."""
    return str(request.param)


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    """Return the texts of a figure and their places in pixels."""
    seen = [text for text in texts(figure) if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent()) for text in seen]


def test_no_text_is_cut_or_lies_on_another(name: str) -> None:
    check_texts(drawn(name))


@pytest.mark.parametrize(
    "name", [n if n in LAYOUTS else pytest.param(n, marks=pytest.mark.slow) for n in FIGURES]
)
def test_no_text_is_cut_or_lies_on_another_in_print(name: str) -> None:
    figure = drawn(name)
    before = figure.dpi
    figure.set_dpi(200)
    try:
        figure.draw_without_rendering()
        check_texts(figure)
    finally:
        figure.set_dpi(before)
        figure.draw_without_rendering()


def check_texts(figure: Figure) -> None:
    """Check that all texts are whole on the page and none lies on another."""
    placed, page = boxes(figure), figure.bbox.padded(_EDGE_PX)
    for text, box in placed:
        assert page.x0 <= box.x0 and box.x1 <= page.x1, text
        assert page.y0 <= box.y0 and box.y1 <= page.y1, text
    for (one, first), (other, second) in combinations(placed, 2):
        assert not first.padded(-_EDGE_PX).overlaps(second.padded(-_EDGE_PX)), (one, other)


def test_pictures_and_plots_lie_side_by_side_and_no_text_lies_on_a_picture(name: str) -> None:
    figure = drawn(name)
    seen = [axes for axes in figure.axes if axes.has_data() and axes.get_visible()]
    places = [axes.get_window_extent().padded(-_EDGE_PX) for axes in seen]
    assert places
    for one, other in combinations(places, 2):
        assert not one.overlaps(other)
    for axes, place in zip(seen, places, strict=True):
        page = figure.bbox.padded(_EDGE_PX)
        assert page.containsx(place.x0) and page.containsx(place.x1)
        assert page.containsy(place.y0) and page.containsy(place.y1)
        if axes.images:
            assert not [t for t, box in boxes(figure) if box.padded(-_LINE_PX).overlaps(place)]


def test_names_and_numbers_of_axes_lie_on_no_other_axes(name: str) -> None:
    seen = [axes for axes in drawn(name).axes if axes.has_data() and axes.get_visible()]
    for axes, other in permutations(seen, 2):
        place = other.get_window_extent()
        for text in (axes.title, *(beside(axes) if axes.axison else ())):
            if text.get_text().strip():
                assert not text.get_window_extent().padded(-_LINE_PX).overlaps(place), text


def test_letters_can_be_read_in_print(name: str) -> None:
    """At the width of a page, or smaller, no letter has less than 5 points."""
    figure = drawn(name)
    if name not in ON_SCREENS:
        share = min(1.0, PAGE_MM / MM / figure.get_figwidth())
        assert smallest_points(figure) * share >= LEAST_POINTS


def test_pictures_are_whole_pixels_in_print() -> None:
    """At four times the 72 dots per inch of the screen, each pixel is a block of 4 by 4."""
    figure, shown = drawn("images"), []
    for dpi in (72, 288):
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=dpi)
        shown.append(np.asarray(Image.open(file).convert("L"), dtype=float))
    for axes in figure.axes:
        x0, y0, x1, y1 = axes.get_window_extent().extents.round().astype(int)
        top, bottom = len(shown[0]) - y1, len(shown[0]) - y0
        small, large = shown[0][top:bottom, x0:x1], shown[1][4 * top : 4 * bottom, 4 * x0 : 4 * x1]
        np.testing.assert_array_equal(large, np.kron(small, np.ones((4, 4))))


@pytest.mark.parametrize("name", ALONE)
def test_a_picture_fills_its_figure(name: str) -> None:
    (axes,) = drawn(name).axes
    whole = drawn(name).bbox
    assert axes.bbox.width * axes.bbox.height > 0.6 * whole.width * whole.height


def test_no_legend_lies_over_data(name: str) -> None:
    figure = drawn(name)
    own = [axes.get_legend() for axes in figure.axes]
    for legend in (*figure.legends, *filter(None, own)):
        place = legend.get_window_extent()
        for axes in figure.axes:
            inside = [p for p in points(axes) if place.contains(*p)]
            bars = [bar for bar in axes.patches if bar.get_window_extent().overlaps(place)]
            assert not inside and not [bar for bar in bars if bar.get_height() > 0]


def points(axes: Axes) -> np.ndarray:
    """Return the data of lines and points in pixels, shape (n, 2)."""
    lines = [line.get_transform().transform(line.get_xydata()) for line in axes.lines]
    dots = [axes.transData.transform(c.get_offsets()) for c in axes.collections]
    found = np.concatenate([np.zeros((0, 2)), *lines, *dots])
    return found[np.isfinite(found).all(axis=1)]


def test_data_are_inside_their_axes_and_the_axes_have_names(name: str) -> None:
    for axes in drawn(name).axes:
        place = axes.get_window_extent().padded(_EDGE_PX)
        for image in axes.images:
            corners = image.get_window_extent()
            assert np.abs(corners.get_points() - axes.get_window_extent().get_points()).max() < 2
        dots = [
            axes.transData.transform(c.get_offsets()) for c in axes.collections if c.get_paths()
        ]
        for line in np.concatenate([np.zeros((0, 2)), *dots]):
            assert place.contains(*line)
        if axes.axison and not axes.images and axes.has_data() and name not in UNNAMED:
            assert axes.get_xlabel()
            assert axes.get_ylabel() or axes.get_yticklabels()


def test_it_looks_as_it_did(name: str) -> None:
    rms, most = difference(picture_of(drawn(name)), stored(name))
    assert rms < MOST_RMS and most < MOST_IN_A_BLOCK, (
        f"{name} differs by {rms:.1f} grey levels, {most:.0f} at most; if that is meant, run "
        f"python -m tests.figures '{name}' and look at {baseline_of(name).name}"
    )


def test_there_is_a_small_file_for_every_figure_and_no_other() -> None:
    files = set(BASELINES.glob("*.png"))
    assert files == {baseline_of(name) for name in FIGURES}
    assert sum(file.stat().st_size for file in files) < 600_000


def _without_title(figure: Figure) -> None:
    figure.axes[0].set_title("")


def _without_a_curve(figure: Figure) -> None:
    figure.axes[0].lines[0].set_visible(False)


def _reversed(figure: Figure) -> None:
    figure.axes[0].images[0].set_cmap("gray_r")


def _without_a_legend(figure: Figure) -> None:
    figure.legends[0].remove()


CHANGES: dict[str, tuple[str, Callable[[Figure], None]]] = {
    "a title is missing": ("images", _without_title),
    "black and white are exchanged": ("images", _reversed),
    "a curve is missing": ("loss", _without_a_curve),
    "a legend is missing": ("fit", _without_a_legend),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(change: str) -> None:
    name, make = CHANGES[change]
    with rc_context(STYLE):
        figure = figure_of(FIGURES[name]())
    make(figure)
    rms, most = difference(picture_of(figure), stored(name))
    assert rms > MOST_RMS or most > MOST_IN_A_BLOCK


def test_figures_can_be_read_in_a_dark_style(name: str) -> None:
    """Where a style has white letters, the paper is not white, and nothing has the paper's colour."""
    with style.context("dark_background"):
        figure = figure_of(FIGURES[name]())
        paper = np.array(figure.get_facecolor()[:3])
        for text in filter(Text.get_text, texts(figure)):
            assert differs(text.get_color(), paper), text.get_text()
        for axes in figure.axes:
            assert not axes.axison or np.allclose(axes.get_facecolor()[:3], paper)
            assert all(differs(line.get_color(), paper) for line in axes.lines)
            for image in axes.images:  # one of a single value would be a hole in the paper
                values = np.ma.masked_invalid(image.get_array()).compressed()
                assert not values.size or np.ptp(values) > 0


def differs(color: Any, paper: np.ndarray) -> bool:
    """Return whether a colour is seen on paper of another, shape (3,)."""
    return bool(np.abs(np.array(to_rgb(color)) - paper).max() > 0.3)


#: Public names that are no kind of figure of their own: they change axes, or make what others show.
PARTS = (
    *("Film", "Tile", "animate", "animshow", "clean_up_axes", "convert_anim_to_html"),
    *("display_image", "filter_figure", "plot_MAD_results", "plot_statistics"),
    *("rescale_ylim", "update_plot", "update_stem"),
)


def names_in(function: Callable[..., Any], seen: set[str]) -> set[str]:
    """Return the names that a function of the catalogue uses, itself or by other functions of it."""
    codes = [inspect.unwrap(function).__code__]
    for code in codes:
        codes += [inner for inner in code.co_consts if inspect.iscode(inner)]
    found = {name for code in codes for name in code.co_names}
    known = inspect.unwrap(function).__globals__
    for name in found - seen:
        used = known.get(name)
        if getattr(used, "__module__", "") in (catalogue.__name__, of_analysis.__name__):
            seen.add(name)
            found |= names_in(used, seen) if callable(used) else set()
    return found


def test_the_catalogue_has_every_plot() -> None:
    """Every public plot is called by a figure that is compared with its baseline."""
    used = set().union(*(names_in(make, set()) for make in FIGURES.values()))
    assert [
        n for n in (*dir(plots), *dir(analysis_plots)) if n not in PARTS and n not in used
    ] == []
