"""Pictures of tensors: what is drawn is what was given, block by block, with its titles."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stimsynth.plots import animshow, convert_anim_to_html, histogram, imshow, pyrshow
from stimsynth.plots.film import Film
from stimsynth.plots.titles import fitted_title, text_width
from stimsynth.transforms import SteerablePyramidFreq, split_orientations
from stimuli_store.errors import InputError, MissingExtra, WrongType

pytest.importorskip("matplotlib")
GENERATOR = torch.Generator().manual_seed(0)
LEVELS = (torch.rand(2, 3, 24, 16, generator=GENERATOR) * 255).round() / 255


def canvas(figure: Any) -> np.ndarray:
    """Pixels of what a figure draws, (height, width, 3)."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(float)


def block(figure: Any, axes: Any) -> np.ndarray:
    """Pixels of the place of axes."""
    drawn, box = canvas(figure), axes.get_window_extent()
    x0, x1, y0, y1 = (round(side) for side in (box.x0, box.x1, box.y0, box.y1))
    return drawn[len(drawn) - y1 : len(drawn) - y0, x0:x1]


def enlarged(pixels: Any, zoom: int) -> np.ndarray:
    return np.kron(np.asarray(pixels), np.ones((zoom, zoom)))


def first_lines(figure: Any) -> list[str]:
    return [axes.get_title().split("\n")[0] for axes in figure.axes]


def check_texts(figure: Any) -> None:
    """All titles inside the canvas, none over another or over a picture."""
    figure.canvas.draw()
    titles = [axes.title.get_window_extent() for axes in figure.axes if axes.get_title()]
    pictures = [axes.get_window_extent() for axes in figure.axes if axes.images]
    for number, title in enumerate(titles):
        assert title.x0 >= -0.5 and title.x1 <= figure.bbox.width + 0.5
        assert title.y1 <= figure.bbox.height + 0.5
        for other in (*titles[:number], *pictures):
            apart = title.x1 <= other.x0 or other.x1 <= title.x0
            assert apart or title.y0 >= other.y1 - 0.5 or other.y0 >= title.y1 - 0.5


# -- what is shown ---------------------------------------------------------------------------------


@pytest.mark.parametrize("zoom", [1, 3])
def test_a_value_is_a_block_of_pixels(zoom: int) -> None:
    figure = imshow(LEVELS, vrange=(0, 1), zoom=zoom, batch_idx=1, col_wrap=2)
    assert len(figure.axes) == 3
    for axes, pixels in zip(figure.axes, LEVELS[1], strict=True):
        wanted = 255 * enlarged(pixels, zoom)[..., None]
        np.testing.assert_allclose(block(figure, axes), wanted + np.zeros(3), atol=1.5)
    assert figure.axes[2].get_window_extent().y1 < figure.axes[0].get_window_extent().y0


def test_a_picture_can_be_reduced_and_the_best_zoom_is_found() -> None:
    flat = enlarged(LEVELS[0, 0], 2)
    figure = imshow(torch.from_numpy(flat)[None, None], zoom=0.5, vrange=(0, 1), title=None)
    np.testing.assert_allclose(block(figure, figure.axes[0])[..., 0], 255 * LEVELS[0, 0], atol=1.5)
    assert figure.axes[0].get_title() == ""
    best = imshow(LEVELS[:, :1])
    assert round(best.axes[0].get_window_extent().height) == 240  # 10 times 24
    for zoom, sentence in (
        (1.5, "whole number"),
        (1 / 3, "divides"),
        (0, "zoom must"),
        ("a", "zoom"),
    ):
        with pytest.raises(InputError, match=sentence):
            imshow(LEVELS[:, :1], zoom=zoom)  # type: ignore[arg-type]


@pytest.mark.long
@pytest.mark.parametrize(
    ("size", "side"),
    [((3000, 4000), 2000), ((64, 2048), 2048), ((2050, 2), 1025), ((1, 2051), 2051)],
)
def test_a_photograph_larger_than_a_screen_is_reduced(size: tuple[int, int], side: int) -> None:
    """By the least whole number that divides both sides and makes it fit, if there is one."""
    figure = imshow(torch.rand(size, generator=GENERATOR))
    assert round(max(figure.axes[0].get_window_extent().size)) == side
    shown = f"dims: [{size[0]}, {size[1]}] * {side / max(size):g}"
    assert figure.axes[0].get_title().split("\n")[-1] == shown


@pytest.mark.long
def test_many_images_are_about_square() -> None:
    many = LEVELS.reshape(6, 1, 24, 16).repeat(10, 1, 1, 1)
    figure = imshow(many, title=None)
    assert len({round(axes.get_window_extent().x0) for axes in figure.axes}) == 8
    assert len({round(axes.get_window_extent().y0) for axes in figure.axes}) == 8
    width, height = figure.bbox.size
    assert max(width, height) < 2500
    few = imshow(many[:12], title=None)
    assert len({round(axes.get_window_extent().y0) for axes in few.axes}) == 1
    again = imshow(many[:4, :, :2, :2].repeat(100, 1, 1, 1), title=None)
    assert max(again.bbox.size) < 2500 and round(again.axes[0].get_window_extent().width) == 102


def test_different_sizes_are_shown_equally_large() -> None:
    small = LEVELS[:1, :1, ::4, ::4]
    figure = imshow([LEVELS[:1, :1], small], vrange=(0, 1), zoom=2)
    large, enlarged_small = (block(figure, axes) for axes in figure.axes)
    assert large.shape == enlarged_small.shape == (48, 32, 3)
    np.testing.assert_allclose(enlarged_small[..., 0], 255 * enlarged(small[0, 0], 8), atol=1.5)
    with pytest.raises(InputError, match="whole multiples"):
        imshow([LEVELS[:1, :1], LEVELS[:1, :1, :5]])


def test_colours_are_shown_as_they_are() -> None:
    figure = imshow(LEVELS, as_rgb=True, vrange=(0, 1), zoom=1)
    for axes, pixels in zip(figure.axes, LEVELS, strict=True):
        np.testing.assert_allclose(block(figure, axes), 255 * pixels.movedim(0, -1), atol=1.5)
    clear = torch.cat([2 * LEVELS, torch.zeros(2, 1, 24, 16)], dim=1)
    white = imshow(clear, as_rgb=True, vrange=(0, 2), zoom=1)
    assert (block(white, white.axes[0]) == 255).all()


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("rectangular", {"real": lambda z: z.real, "imaginary": lambda z: z.imag}),
        ("polar", {"amplitude": torch.abs, "phase": torch.angle}),
        ("logpolar", {"log2 amplitude": lambda z: z.abs().log2(), "phase": torch.angle}),
    ],
)
def test_complex_values_have_two_parts(kind: Any, parts: dict[str, Any]) -> None:
    z = torch.complex(LEVELS[:, :1] + 1, LEVELS[:, 1:2])
    figure = imshow(z, plot_complex=kind, title=["one", "two"])
    assert first_lines(figure) == [f"{n} {part}" for n in ("one", "two") for part in parts]
    for axes, part in zip(figure.axes, parts.values(), strict=False):
        np.testing.assert_allclose(axes.images[0].get_array(), part(z)[0, 0], rtol=1e-5)


def test_another_word_for_complex_values_is_warned_about() -> None:
    with pytest.warns(UserWarning, match="plot_complex must be one of"):
        figure = imshow(torch.complex(LEVELS, LEVELS)[:1, :1], plot_complex="polr")  # type: ignore[arg-type]
    assert first_lines(figure) == ["real", "imaginary"]
    zero = imshow(torch.zeros(4, 4, dtype=torch.complex64), plot_complex="logpolar")
    assert np.isfinite(zero.axes[0].images[0].get_array()).all()


def test_ranges_are_common_or_their_own_and_have_colours() -> None:
    two = torch.stack([torch.full((4, 4), -1.0), torch.full((4, 4), 3.0)])[:, None]
    common, own = imshow(two, vrange="auto0"), imshow(two, vrange="indep0")
    assert [axes.images[0].get_clim() for axes in common.axes] == [(-3, 3)] * 2
    assert [axes.images[0].get_clim() for axes in own.axes] == [(-1, 1), (-3, 3)]
    assert common.axes[0].images[0].get_cmap().name == "RdBu_r"
    assert (
        imshow(two, cmap="viridis", vrange="auto0").axes[0].images[0].get_cmap().name == "viridis"
    )
    two[0, 0, 0, 0] = torch.nan
    assert imshow(two, vrange="auto").axes[0].images[0].get_clim() == (-1, 3)


# -- titles and places -----------------------------------------------------------------------------


def test_titles_say_range_and_size_and_fit() -> None:
    words = "a title that is far longer than its small picture is wide"
    figure = imshow(LEVELS[:, :1, :7, :7], title=[words, "short"], zoom=2, vrange=(0, 0.5))
    lines = figure.axes[0].get_title().split("\n")
    assert " ".join(lines[:-2]) == words
    assert lines[-2:] == ["range: [0, 0.5]", "dims: [7, 7] * 2"]
    check_texts(figure)
    for dpi in (144, 300):  # the same when it is printed
        figure.set_dpi(dpi)
        check_texts(figure)
    grid = imshow(LEVELS.reshape(6, 1, 24, 16), title=words, zoom=3, col_wrap=2)
    check_texts(grid)


@pytest.mark.parametrize("room", [20.0, 60.0, 500.0])
def test_titles_are_broken_and_nothing_is_lost(room: float) -> None:
    title = "Least distance of a_very_long_name_of_a_model\nrange: [0, 1]"
    fitted = fitted_title(title, room)
    assert fitted.replace("\n", "").replace(" ", "") == title.replace("\n", "").replace(" ", "")
    assert all(text_width(line) <= room for line in fitted.split("\n"))
    assert fitted == title or room < 500


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("std+skew+kurtosis recon", ["std+skew+", "kurtosis", "recon"]),
        ("photo/window_px=2/seed", ["photo/", "window_", "px=2/seed"]),
        ("abcdefghijklmnopq rs", ["abcdefghijk", "lmnopq rs"]),
    ],
)
def test_words_are_broken_at_their_symbols(title: str, lines: list[str]) -> None:
    room = max(map(text_width, lines)) + 1
    assert fitted_title(title, room).split("\n") == lines


@pytest.mark.parametrize(("value", "said"), [(np.nan, "all NaN"), (np.inf, "no finite value")])
def test_a_picture_without_values_says_so(value: float, said: str) -> None:
    empty = torch.full((1, 1, 8, 8), value)
    assert imshow(empty).axes[0].get_title().split("\n")[0] == f"range: {said}"
    empty[..., 0, 0] = 0.5
    assert imshow(empty).axes[0].get_title().split("\n")[0] == "range: [0.5, 0.5]"


@pytest.mark.parametrize(
    ("plot", "given", "nearest"),
    [
        (imshow, "vrang", "vrange"),
        (imshow, "interpolaton", "interpolation"),
        (histogram, "labls", "labels"),
        (histogram, "bin", "bins"),
    ],
)
def test_a_misspelt_argument_is_told_the_nearest_of_ours_and_of_matplotlibs(
    plot: Callable[..., Any], given: str, nearest: str
) -> None:
    with pytest.raises(InputError, match=f"of {plot.__name__} '{given}'; did you mean '{nearest}'"):
        plot(LEVELS, **{given: 1})


@pytest.mark.parametrize(
    "bins", [-3, 0, 2.5, True, "auo", [], [1], [2, 1], [0, np.nan], [[0, 1], [2, 3]], {}]
)
def test_bins_that_are_none_are_told_what_would_do(bins: Any) -> None:
    with pytest.raises(InputError, match="bins must be a whole number"):
        histogram(LEVELS, bins=bins)


def test_axes_of_ones_own_shrink_to_whole_pixels_and_are_divided() -> None:
    from stimuli_store.tools.figures import new_figure

    figure = new_figure(5, 3, dpi=72)
    left, right = figure.subplots(1, 2)
    assert imshow(LEVELS[:1, :1], ax=left, vrange=(0, 1)) is figure
    drawn = block(figure, left)
    assert drawn.shape[0] % 24 == 0
    np.testing.assert_allclose(
        drawn[..., 0], 255 * enlarged(LEVELS[0, 0], drawn.shape[0] // 24), atol=1.5
    )
    imshow(LEVELS[:1], ax=right, title=None, vrange=(0, 1))
    new = figure.axes[2:]
    assert len(new) == 3
    for axes, pixels in zip(new, LEVELS[0], strict=True):
        drawn = block(figure, axes)
        np.testing.assert_allclose(
            drawn[..., 0], 255 * enlarged(pixels, drawn.shape[0] // 24), atol=1.5
        )
    for zoom in (50, 1 / 3):
        with pytest.raises(InputError, match=r"fit into axes|divides"):
            imshow(LEVELS[:1, :1], ax=left, zoom=zoom)


# -- what is refused -------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Any, str]] = {
    "batch and channels": (lambda: imshow(LEVELS), "give batch_idx or channel_idx, or as_rgb"),
    "two channels": (lambda: imshow(LEVELS[:, :2], as_rgb=True), "needs 3 channels, or 4"),
    "one channel": (lambda: imshow(LEVELS, as_rgb=True, channel_idx=0), "leave out channel_idx"),
    "complex colours": (lambda: imshow(LEVELS * 1j, as_rgb=True), "have no colours"),
    "no such item": (lambda: imshow(LEVELS, batch_idx=2), "batch_idx must be from 0 to 1"),
    "dimensions": (lambda: imshow(LEVELS[0]), r"must have shape \(batch, channel, height, width\)"),
    "nothing": (lambda: imshow([]), "nothing to show"),
    "empty": (lambda: imshow(LEVELS[:0]), "no dimension of 0"),
    "words": (lambda: imshow("indep1", LEVELS), "pictures are tensors or arrays"),  # type: ignore[arg-type]
    "titles": (lambda: imshow(LEVELS[:1], title=["a", "b"]), "2 were given for 3 images"),
    "two titles of one": (
        lambda: imshow(LEVELS[:1, :1], title=["a", "b"]),
        "2 were given for 1 image$",
    ),
    "title": (lambda: imshow(LEVELS[:1], title=[1, 2, 3]), "title must be text"),  # type: ignore[list-item]
    "channels last": (
        lambda: imshow(LEVELS[0].permute(1, 2, 0)),
        r"or \(height, width\), with .*: image.permute\(2, 0, 1\)\[None\] turns",
    ),
    "channels last, of numpy": (
        lambda: imshow(LEVELS[0].permute(1, 2, 0).numpy()),
        r"not \(24, 16, 3\): image.transpose\(2, 0, 1\)\[None\] turns",
    ),
    "no batch": (lambda: imshow(LEVELS[0]), r"not \(3, 24, 16\): image\[None\] makes"),
    "far too large": (lambda: imshow(LEVELS[:1, :1], zoom=3000), "48000 × 72000 display pixels"),
    "far too wide": (lambda: imshow([LEVELS[:1, :1]] * 300, zoom=16, col_wrap=300), "65535 a side"),
    "far too many": (lambda: imshow(torch.zeros(1001, 1, 2, 2)), "1000 pictures, not 1001"),
    "columns": (lambda: imshow(LEVELS[:1], col_wrap=0), "col_wrap"),
    "range": (lambda: imshow(LEVELS[:1], vrange="indep4"), "vrange must be"),
    "upside down": (lambda: imshow(LEVELS[:1], vrange=(1, 0)), "vrange must be"),
    "unknown": (lambda: imshow(LEVELS[:1], vrang=(0, 1)), "argument of imshow 'vrang'"),
    "axes": (lambda: imshow(LEVELS[:1], ax=5), "ax must be"),  # type: ignore[arg-type]
    "pyramid": (lambda: pyrshow(LEVELS), "a dictionary; not Tensor"),  # type: ignore[arg-type]
    "empty pyramid": (lambda: pyrshow({}), "no coefficients"),
    "residuals": (
        lambda: pyrshow({"residual_lowpass": LEVELS}, show_residuals=False),
        "only residuals",
    ),
    "film dimensions": (lambda: animshow(LEVELS), "time, height, width"),
    "film lengths": (
        lambda: animshow([LEVELS[None, :1], LEVELS[None, :1, :2]]),
        "the same number of frames",
    ),
    "rate": (lambda: animshow(LEVELS[None, :1], framerate=0), "framerate must be"),
    "frame": (lambda: animshow(LEVELS[None, :1]).frame(3), "there is no frame 3"),
    "film": (lambda: convert_anim_to_html(LEVELS), "made by animate or animshow"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_shown_is_refused_in_a_sentence(name: str) -> None:
    call, sentence = REFUSED[name]
    with pytest.raises((InputError, WrongType), match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)


# -- pyramids --------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_complex", [False, True])
def test_a_pyramid_has_a_row_for_each_scale(is_complex: bool) -> None:
    pyramid = SteerablePyramidFreq((32, 32), height=2, order=1, is_complex=is_complex)
    coefficients = pyramid(torch.rand(2, 1, 32, 32, generator=GENERATOR))
    figure = pyrshow(coefficients, batch_idx=1)
    parts = ["real", "imaginary"] if is_complex else [""]
    bands = [f"scale {s}, band {b} {p}".rstrip() for s in (0, 1) for b in (0, 1) for p in parts]
    assert first_lines(figure) == ["high-pass residual", *bands, "low-pass residual"]
    assert {round(axes.get_window_extent().height) for axes in figure.axes} == {32}
    rows = [round(axes.get_window_extent().y0) for axes in figure.axes]
    assert rows == sorted(rows, reverse=True)
    assert len(set(rows)) == 4
    np.testing.assert_array_equal(
        figure.axes[1].images[0].get_array(), coefficients[0][1, 0, 0].real
    )
    check_texts(figure)
    inner = pyrshow(split_orientations(coefficients), show_residuals=False, zoom=2)
    assert first_lines(inner) == bands
    assert {round(axes.get_window_extent().height) for axes in inner.axes} == {64}


# -- films -----------------------------------------------------------------------------------------

VIDEO = LEVELS[0][None, None].repeat(1, 1, 2, 1, 1)


def test_each_frame_shows_its_values() -> None:
    film = animshow([VIDEO, VIDEO[..., ::2, ::2]], zoom=2, vrange=(0, 1), framerate=10)
    assert len(film) == 6
    for number in (0, 4, -1, 2):
        pixels = film.frame(number)[..., 0].astype(float)
        axes = film.figure.axes[0].get_window_extent()
        left, top = round(axes.x0), len(pixels) - round(axes.y1)
        wanted = 255 * enlarged(VIDEO[0, 0, number], 2)
        np.testing.assert_allclose(pixels[top : top + 48, left : left + 32], wanted, atol=1.5)
    fresh = canvas(film.figure)  # what is drawn piece by piece is what is drawn at once
    np.testing.assert_allclose(film.frame(2)[..., :3], fresh, atol=1)
    best = animshow(VIDEO, zoom=None).figure.axes[0].get_window_extent()
    assert round(best.height) == 240  # 10 times 24, as imshow
    coloured = animshow(LEVELS[:1, :, None], as_rgb=True, vrange=(0, 1))
    assert len(coloured) == 1


def test_films_are_saved(tmp_path: Path) -> None:
    film = animshow(VIDEO, framerate=5, vrange=(0, 1))
    film.save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as gif:
        assert (gif.n_frames, gif.info["duration"]) == (6, 200)
        for number in (0, 5, 2):
            gif.seek(number)
            found = np.asarray(gif.convert("RGB"), dtype=float)
            assert np.abs(found - film.frame(number)[..., :3]).mean() < 1
    film.save(tmp_path / "film.apng")
    with Image.open(tmp_path / "film.apng") as exact:
        exact.seek(1)
        found = np.asarray(exact.convert("RGB"))
    wanted = film.frame(1)
    np.testing.assert_array_equal(found[-wanted.shape[0] :, : wanted.shape[1]], wanted[..., :3])
    film.save(tmp_path / "by-matplotlib.gif", fps=10)
    with Image.open(tmp_path / "by-matplotlib.gif") as gif:
        assert (gif.n_frames, gif.info["duration"]) == (6, 100)
    page = film.to_jshtml()
    assert page.count("data:image/png;base64") == 6
    with pytest.raises(InputError, match=r"ending of a film '.mp5'; did you mean '.mp4'"):
        film.save(tmp_path / "film.mp5")
    with pytest.raises(InputError, match=r"the folder .* does not exist"):
        film.save(tmp_path / "no" / "film.gif")


def test_a_movie_needs_ffmpeg_and_a_notebook_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    film = animshow(VIDEO)
    with pytest.raises(MissingExtra, match="a movie needs ffmpeg"):
        film.save(tmp_path / "film.mp4")
    assert "data:image/png" in film._repr_html_()


def test_a_movie_is_made_with_ffmpeg(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    film: Film = animshow(VIDEO, framerate=20)
    film.save(tmp_path / "film.mp4")
    assert b"ftyp" in (tmp_path / "film.mp4").read_bytes()[:12]
    assert "<video" in convert_anim_to_html(film)._repr_html_()
    (tmp_path / "taken.mp4").mkdir()
    with pytest.raises(InputError, match=r"ffmpeg could not write .*taken.mp4: "):
        film.save(tmp_path / "taken.mp4")


def test_matplotlibs_settings_of_films_are_honoured(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    from matplotlib import rc_context

    film = animshow(VIDEO, framerate=20)
    own = ["-threads", "1", "-metadata", "title=settings of my own"]
    with rc_context({"animation.ffmpeg_args": own}):
        film.save(tmp_path / "film.mp4")
    assert b"settings of my own" in (tmp_path / "film.mp4").read_bytes()
    with rc_context({"animation.writer": "pillow"}):
        film.save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.n_frames == len(film)
    with rc_context({"animation.writer": "html"}):
        assert film.to_jshtml().count("data:image/png;base64") == len(film)


# -- histograms ------------------------------------------------------------------------------------


def test_a_histogram_counts_every_finite_value_in_common_bins() -> None:
    one, two = np.array([[[0.0, 1.0, np.nan]]]), np.array([[[4.0, 4.0]], [[9.0, 9.0]]])
    axes = histogram([one, two], ["one", "two"], bins=4, range=(0, 4))
    first, second = ([bar.get_height() for bar in found] for found in axes.containers)
    assert first == [1, 1, 0, 0]
    assert second == [0, 0, 0, 2]
    every = histogram(two, batch_idx=None)
    assert sum(bar.get_height() for bar in every.patches) == 4
    assert every.get_legend() is None
    both = LEVELS[:1]
    alone = histogram(both, channel_idx=1)
    assert sum(bar.get_height() for bar in alone.patches) == 24 * 16
    for make, words in (
        (lambda: histogram(both, channel_idx=3), "there is no channel_idx 3"),
        (lambda: histogram([both, both], ["one"]), "2 tensors need as many labels"),
        (lambda: histogram([]), "nothing to plot"),
        (lambda: histogram(both * 1j), "no histogram"),
        (lambda: histogram(both, bin=3), "did you mean 'bins'"),
    ):
        with pytest.raises(InputError, match=words):
            make()
