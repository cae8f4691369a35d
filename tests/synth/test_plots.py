"""Figures: what is drawn is what was given, pixel for pixel."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from stimsynth.images.mad_archive import MAD_STIMULI, load_mad_results
from stimsynth.models import (
    LinearNonlinear,
    LuminanceContrastGainControl,
    LuminanceGainControl,
    OnOff,
)
from stimsynth.plots.filters import filter_figure
from stimsynth.plots.mad import plot_MAD_results
from stimsynth.plots.panels import Panel, panel_figure
from stimsynth.plots.ranges import display_ranges
from stimuli_store.errors import InputError, MissingExtra
from tests import fresh

pytest.importorskip("matplotlib")
RNG = np.random.default_rng(0)
IMAGES = [RNG.normal(size=(5, 6)), 3 + 2 * RNG.normal(size=(5, 6))]


def canvas(figure: Any) -> np.ndarray:
    """Grey values of what a figure draws."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., 0].astype(float)


# -- ranges ----------------------------------------------------------------------------------------


def rule(x: np.ndarray, digit: str) -> tuple[float, float]:
    """Return the limits of a rule by the seeds' definitions."""
    p10, p90 = np.percentile(x, 10), np.percentile(x, 90)
    return {
        "0": (-abs(x).max(), abs(x).max()),
        "1": (x.min(), x.max()),
        "2": (x.mean() - 2 * x.std(), x.mean() + 2 * x.std()),
        "3": (p10 - (p90 - p10) / 8, p90 + (p90 - p10) / 8),
    }[digit]


@pytest.mark.parametrize("digit", "0123")
def test_ranges_are_their_definitions(digit: str) -> None:
    alone = display_ranges(IMAGES, f"indep{digit}")
    np.testing.assert_allclose(alone, [rule(x, digit) for x in IMAGES])
    together = display_ranges(IMAGES, f"auto{digit}")
    np.testing.assert_allclose(together, [rule(np.stack(IMAGES), digit)] * 2)


def test_percentiles_land_at_a_tenth_of_the_range() -> None:
    ((low, high),) = display_ranges(IMAGES[:1], "auto3")
    at = (np.percentile(IMAGES[0], [10, 90]) - low) / (high - low)
    np.testing.assert_allclose(at, [0.1, 0.9])


def test_given_ranges_and_names() -> None:
    assert display_ranges(IMAGES, (0, 1)) == [(0.0, 1.0)] * 2
    assert display_ranges(IMAGES, "auto") == display_ranges(IMAGES, "auto1")
    for name in ("auto4", "indep", "row1", "", "0"):
        with pytest.raises(InputError, match="vrange must be"):
            display_ranges(IMAGES, name)


# -- panels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("zoom", [1, 3, 0.5])
def test_a_pixel_is_a_block_of_display_pixels(zoom: float) -> None:
    pixels = np.round(np.random.default_rng(1).random((24, 40)) * 255) / 255
    if zoom < 1:
        pixels = np.kron(pixels[::2, ::2], np.ones((2, 2)))
    figure = panel_figure([[Panel(pixels=pixels, title="one", shown=(0, 1))] * 2] * 2, zoom=zoom)
    drawn = canvas(figure)
    wanted = pixels[::2, ::2] if zoom < 1 else np.kron(pixels, np.ones((int(zoom), int(zoom))))
    assert len(figure.axes) == 4
    for axes in figure.axes:
        box = axes.get_window_extent()
        left, top = round(box.x0), len(drawn) - round(box.y1)
        block = drawn[top : top + wanted.shape[0], left : left + wanted.shape[1]]
        np.testing.assert_allclose(block, 255 * wanted, atol=1.5)
        assert drawn[top + 5, left - 1] == 255  # and nothing beyond it


def test_titles_do_not_leave_the_figure() -> None:
    panel = Panel(pixels=np.zeros((40, 60)), title="Two\nlines", shown=(0, 1))
    figure = panel_figure([[panel], [panel]])
    figure.canvas.draw()
    for axes in figure.axes:
        box = axes.title.get_window_extent()
        assert box.y1 <= figure.bbox.height
        others = [a.get_window_extent() for a in figure.axes]
        assert not any(box.y0 < other.y1 - 1 and box.y1 > other.y0 + 1 for other in others)


@pytest.mark.parametrize(
    ("shapes", "zoom", "sentence"),
    [
        ([(4, 4)], 1.5, "whole number"),
        ([(4, 6)], 1 / 3, "d divides height and width"),
        ([(4, 4)], 0, "not 0"),
        ([(4, 4, 2)], 1, "height, width"),
    ],
)
def test_what_makes_no_whole_pixels_is_refused(
    shapes: list[tuple[int, ...]], zoom: float, sentence: str
) -> None:
    panels = [Panel(pixels=np.zeros(shape), title="", shown=(0, 1)) for shape in shapes]
    with pytest.raises(InputError, match=sentence):
        panel_figure([panels], zoom=zoom)


# -- filters ---------------------------------------------------------------------------------------

FRONT_ENDS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "LinearNonlinear": (lambda: LinearNonlinear(15), ["center-surround"]),
    "LuminanceGainControl": (lambda: LuminanceGainControl(15), ["center-surround", "luminance"]),
    "LuminanceContrastGainControl": (
        lambda: LuminanceContrastGainControl(15),
        ["center-surround", "luminance", "contrast"],
    ),
    "OnOff": (
        lambda: OnOff(15),
        [f"{name} {i}" for i in (0, 1) for name in ("center-surround", "luminance", "contrast")],
    ),
}


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_a_front_end_shows_every_kernel_it_has(name: str) -> None:
    make, titles = FRONT_ENDS[name]
    model = make()
    figure = model.display_filters(zoom=2)
    assert [axes.get_title() for axes in figure.axes] == titles
    for axes in figure.axes:
        part, _, channel = axes.get_title().replace("-", "_").partition(" ")
        kernel = getattr(model, part).filt[int(channel or 0), 0].detach().numpy()
        shown = axes.images[0]
        np.testing.assert_array_equal(shown.get_array(), kernel)
        low, high = shown.get_clim()
        assert -low == high == pytest.approx(abs(kernel).max())
        assert axes.get_window_extent().width == pytest.approx(30)


def test_filter_figures_take_range_and_colours() -> None:
    figure = filter_figure({"a": np.eye(4)[None]}, zoom=2, vrange=(0, 2), cmap="gray", alpha=0.5)
    (shown,) = figure.axes[0].images
    assert shown.get_clim() == (0, 2)
    assert shown.get_cmap().name == "gray"
    assert shown.get_alpha() == 0.5


def test_without_matplotlib_the_error_says_how_to_install_it() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from stimsynth.models import LinearNonlinear\n"
        "from stimuli_store.errors import MissingExtra\n"
        "try: LinearNonlinear(7).display_filters()\n"
        "except MissingExtra as error: print(error)\n"
    )
    result = fresh.run(["-c", code])
    assert 'pip install -e ".[analysis]"' in result.stdout
    assert issubclass(MissingExtra, ImportError)


# -- published maximum differentiation -------------------------------------------------------------


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Files in the layout of the published results, for two noise levels."""
    rng = np.random.default_rng(3)
    original = rng.integers(0, 256, (16, 16)).astype(np.uint8)
    Image.fromarray(original).save(tmp_path / "samp6.tif")
    for level in (2, 128):
        images = {name: rng.random((16, 16)) * 100 + i for i, name in enumerate(MAD_STIMULI)}
        scores = {"FIX_MSE": float(level), "FIX_SSIM": 0.818, "maxssim": 0.9929, "minssim": 0.7441}
        scores |= {"minmse": 107.04, "maxmse": 1046.4}
        path = tmp_path / f"samp6_L{level}_results.mat"
        savemat(path, {**images, **scores, "mse_fixmse_maxssim": np.arange(4.0)})
    return tmp_path


def test_published_results_are_read_as_they_are(published: Path) -> None:
    found = load_mad_results("samp6", [128], published, published)
    np.testing.assert_array_equal(found.original, np.asarray(Image.open(published / "samp6.tif")))
    assert list(found.images) == [128]
    assert tuple(found.images[128]) == MAD_STIMULI
    assert all(image.shape == (16, 16) for image in found.images[128].values())
    assert 0 <= found.images[128]["im_init"].min() < 100
    assert found.images[128]["im_fixssim_maxmse"].max() > 100
    assert set(found.scores[128]) == {
        *("FIX_MSE", "FIX_SSIM", "maxssim", "minssim", "minmse", "maxmse", "mse_fixmse_maxssim")
    }
    np.testing.assert_array_equal(found.scores[128]["mse_fixmse_maxssim"], np.arange(4.0))


def test_the_figure_has_a_row_for_every_level(published: Path) -> None:
    figure, results = plot_MAD_results("samp6", [2, 128], published, str(published), zoom=1)
    assert len(figure.axes) == 1 + 2 * 5
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "Original image"
    assert titles[6:8] == ["Noise level 128", "Best SSIM 0.9929\nat MSE 128"]
    assert titles[10] == "Highest MSE 1046.4\nat SSIM 0.818"
    assert list(results) == ["L2", "L128"]
    assert results["L128"]["noise_level"] == 128
    assert results["L128"]["original_image"] == "samp6"
    assert results["L128"]["maxmse"] == 1046.4
    found = load_mad_results("samp6", [128], published, published)
    np.testing.assert_array_equal(
        figure.axes[7].images[0].get_array(), found.images[128]["im_fixmse_maxssim"]
    )


def test_a_row_can_share_its_range(published: Path) -> None:
    found = load_mad_results("samp6", [2, 128], published, published)
    figure, _ = plot_MAD_results("samp6", [2, 128], published, published, 1, "row1")
    limits = [axes.images[0].get_clim() for axes in figure.axes]
    for level, shown in ((2, limits[1:6]), (128, limits[6:])):
        every = np.stack(list(found.images[level].values()))
        assert set(shown) == {(every.min(), every.max())}
    assert limits[0] == (found.original.min(), found.original.max())
    two_sided, _ = plot_MAD_results("samp6", [2], published, published, 1, "row0")
    assert two_sided.axes[0].images[0].get_cmap().name == "RdBu_r"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("samp11", [2]), "did you mean 'samp1"),
        (("samp6", [3]), "powers of two"),
        (("samp6", []), "powers of two"),
        (("samp6", None), r"no .*samp6_L4_results.mat; it belongs to MAD_results.tar.gz"),
        (("samp7", [2]), r"no image file .*samp7.tif"),
    ],
)
def test_what_is_not_published_is_refused(
    published: Path, arguments: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        load_mad_results(*arguments, published, published)


def test_files_that_are_something_else_are_refused(published: Path) -> None:
    savemat(published / "samp6_L2_results.mat", {"im_init": np.zeros((2, 2))})
    with pytest.raises(InputError, match="has no im_fixmse_maxssim"):
        load_mad_results("samp6", [2], published, published)
    (published / "samp6_L2_results.mat").write_bytes(b"not a mat file" * 20)
    with pytest.raises(InputError, match=r"cannot be read as a .mat file"):
        load_mad_results("samp6", [2], published, published)
