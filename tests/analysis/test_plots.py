"""Plots show what they were given, with units on the axes, and no text on another."""

import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib import style as dark_or_light
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis import (
    dprime_from_counts,
    fit_critical_scaling,
    fit_psychometric,
    population_threshold,
)
from analysis.curves.axes import Axis
from analysis.data.counts import Counts, counts_of
from analysis.fits.distortion_ratio import DistortionRatio
from analysis.fits.fit import Fit
from analysis.fits.scaling.record import ScalingFit
from analysis.observers.counted.proportions import wilson
from analysis.plots import (
    Tile,
    display_stimuli,
    plot_distortion_ratios,
    plot_dprime,
    plot_fit,
    plot_ranking,
    plot_residuals,
    plot_response_times,
    plot_scaling,
    plot_thresholds,
    plot_timing,
    style,
)
from analysis.ranking.records import Ceiling, ModelPair, ModelScore, Ranking
from stimuli_store.errors import InputError, WrongType

LEVELS = np.array([8.0, 16, 32, 64])


def counts(right: Any = (10, 12, 18, 20), total: Any = 20, levels: Any = LEVELS) -> Counts:
    return counts_of(levels, right, np.broadcast_to(total, np.shape(right)))


def fit(given: Counts, axis: Any = "log", guess: Any = 0.5) -> Fit:
    return fit_psychometric(
        given.levels, given.n_correct, given.n_trials, axis=axis, guess=guess, sigmoid="normal"
    )


def scaled(right: Any = (26, 25, 43, 50), total: int = 50) -> ScalingFit:
    return fit_critical_scaling(*counts(right, total))


def ratio(value: float, predicted: float | None, half: float = 0.5) -> DistortionRatio:
    return DistortionRatio(
        value=value,
        low=value - half,
        high=value + half,
        most=1.0,
        least=float(np.exp(value)),
        predicted=predicted,
        determined=bool(np.isfinite(half)),
        n_trials=80,
    )


RATIOS = {"retina": [ratio(2.0, 2.5), ratio(2.5, 3.0)], "filters": [ratio(1.0, 8.0, np.inf)]}


def fitted(*given: Any, axis: Any = "log", guess: Any = 0.5, **kwargs: Any) -> Axes:
    made = counts(*given)
    return plot_fit(fit(made, axis, guess), **kwargs)


def lines(axes: Axes) -> list[tuple[list[float], list[float]]]:
    return [
        (np.ravel(line.get_xdata()).tolist(), np.ravel(line.get_ydata()).tolist())
        for line in axes.get_lines()
    ]


def legends(axes: Axes) -> list[Any]:
    return list(axes.get_figure(root=True).legends)


def words(axes: Axes) -> list[str]:
    return [text.get_text() for made in legends(axes) for text in made.get_texts()]


# -- every plot ------------------------------------------------------------------------------------

MANY = np.round(np.random.default_rng(1).normal(30, 8, 60).clip(6, 80), 3)
ROOT = Axis(name="square root", position=np.sqrt, level=np.square)
FITS = {
    "ann": fit(counts()),
    "a participant with a long name": fit(counts((9, 10, 11, 10))),
    "eve": fit(counts((20, 20, 20, 20))),
}


def ranking(p: float = 0.2) -> Ranking:
    """Two models that are told apart at `p`, a worse one, and two baselines."""

    def score(label: str, bits: float, gap: tuple[float, float] = (0, 0)) -> ModelScore:
        return ModelScore(
            label=label,
            bits=bits,
            low=bits - 0.125,
            high=bits + 0.125,
            bits_in_sample=None,
            difference=round(bits - 0.375, 9),
            difference_low=gap[0],
            difference_high=gap[1],
        )

    def pair(second: str, p_holm: float) -> ModelPair:
        return ModelPair(
            first="a", second=second, difference=0, low=0, high=0, p=p_holm, p_holm=p_holm, same=False
        )  # fmt: skip

    return Ranking(
        rows=(score("a", 0.375), score("b", 0.325, (-0.1, 0)), score("c", 0.175, (-0.3, -0.1))),
        baselines=(score("level", 0.25, (-0.2, -0.05)), score("chance", 0.0, (-0.4, -0.3))),
        pairs=(pair("b", p), pair("c", 0.001)),
        ceiling=Ceiling(
            lower=0.4, lower_low=0.3, lower_high=0.5, upper=0.5, upper_low=0.4, upper_high=0.6
        ),
        notes=(),
        held_out=True,
        scheme="",
        spread="",
        n_trials=10,
        n_participants=2,
        n_images=2,
        by_image=(),
        by_participant=(),
    )


def two_fits() -> Axes:
    first = fitted(label="fovea", unit="px")
    return fitted((10, 14, 17, 20), 20, 3 * LEVELS, ax=first, label="periphery", unit="px")


PLOTS: dict[str, Callable[[], Axes]] = {
    "fit": lambda: fitted(unit="window_px", true=25.0),
    "fit with unequal trials": lambda: fitted((5, 22, 35, 9), (10, 40, 40, 10), unit="deg"),
    "fit of sixty levels": lambda: fitted(np.resize([1, 2, 1, 2, 1], 60), 2, MANY, unit="deg"),
    "fit to guesses": lambda: fitted((10, 11, 9, 10)),
    "fit to right answers": lambda: fitted((20, 20, 20, 20)),
    "fit to wrong answers": lambda: fitted((0, 1, 0, 0)),
    "fit with a linear axis": lambda: fitted((10, 13, 18, 22), 40, (0, 1, 2, 3), axis="linear", guess=0.25),
    "fit of tiny levels": lambda: fitted((10, 13, 18, 19), 20, (0.001, 0.002, 0.003, 0.005), axis="linear"),
    "two fits": two_fits,
    "falling fit": lambda: fitted((20, 18, 12, 10)),
    "fit with a free guess rate": lambda: fitted((2, 5, 15, 19), guess="free"),
    "fit on an axis of one's own": lambda: fitted((20, 24, 33, 38), 40, (0, 1, 4, 9), axis=ROOT),
    "thresholds on it": lambda: plot_thresholds([fit(counts((20, 24, 33, 38), 40, (0, 1, 4, 9)), ROOT)]),
    "residuals": lambda: plot_residuals(fit(counts()), unit="px"),
    "d'": lambda: plot_dprime(
        {level: dprime_from_counts(n, 50) for level, n in zip(LEVELS, (26, 25, 43, 50), strict=True)},
        scaling=fit_critical_scaling(LEVELS, (26, 25, 43, 50), [50] * 4),
        unit="window_px",
    ),
    "critical scaling": lambda: plot_scaling(scaled(), true=10.0),
    "two critical scalings": lambda: plot_scaling(
        scaled((23, 25, 31, 47)), plot_scaling(scaled(), label="energy"), label="luminance"
    ),
    "no critical scaling": lambda: plot_scaling(scaled((24, 26, 25, 26))),
    "ratios of distortions": lambda: plot_distortion_ratios(RATIOS),
    "d' of one level": lambda: plot_dprime({8: dprime_from_counts(30, 40)}),
    "thresholds": lambda: plot_thresholds(FITS, unit="px", true={"ann": 18.0}),
    "one threshold": lambda: plot_thresholds([FITS["ann"]], unit="px"),
    "no threshold": lambda: plot_thresholds([FITS["eve"]]),
    "ranking": lambda: plot_ranking(ranking()),
    "timing": lambda: plot_timing([0] * 500 + [1] * 30 + [-1, 3]),
    "no timing": lambda: plot_timing([]),
    "response times": lambda: plot_response_times(np.geomspace(0.2, 3, 200)),
    "no response times": lambda: plot_response_times([np.nan]),
}  # fmt: skip


@cache
def drawn(name: str) -> Axes:
    axes = PLOTS[name]()
    axes.get_figure(root=True).canvas.draw()
    return axes


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_fills_its_figure(name: str) -> None:
    figure = drawn(name).get_figure(root=True)
    spans = [t.get_window_extent() for t in drawn_texts(drawn(name)) if t.get_text()]
    spans.append(drawn(name).get_window_extent())
    inches = figure.dpi
    assert min(span.x0 for span in spans) < 0.2 * inches
    assert min(span.y0 for span in spans) < 0.2 * inches
    assert max(span.x1 for span in spans) > figure.bbox.x1 - 0.2 * inches
    assert max(span.y1 for span in spans) > figure.bbox.y1 - 0.2 * inches


def drawn_texts(axes: Axes) -> Iterator[Text]:
    yield from axes.get_figure(root=True).texts
    yield from (axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts)
    for made in legends(axes):
        yield from (made.get_title(), *made.get_texts())
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        for at, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True):
            if min(low, high) <= at <= max(low, high):
                yield label


@pytest.mark.parametrize("name", PLOTS)
def test_no_text_is_cut_or_lies_on_another(name: str) -> None:
    axes = drawn(name)
    figure = axes.get_figure(root=True)
    boxes = {t.get_text(): t.get_window_extent() for t in drawn_texts(axes) if t.get_text()}
    for text, box in boxes.items():
        assert figure.bbox.padded(1).fully_containsx(box.x0), text
        assert figure.bbox.padded(1).fully_containsx(box.x1), text
        assert figure.bbox.padded(1).fully_containsy(box.y0), text
        assert figure.bbox.padded(1).fully_containsy(box.y1), text
    for (one, first), (other, second) in combinations(boxes.items(), 2):
        assert not first.padded(-1).overlaps(second.padded(-1)), (one, other)


@pytest.mark.parametrize("name", PLOTS)
def test_a_legend_hides_no_data(name: str) -> None:
    axes = drawn(name)
    assert axes.get_legend() is None
    for legend in legends(axes):
        assert legend.get_window_extent().y1 < axes.get_window_extent().y0
        labels = [text.get_text() for text in legend.get_texts()]
        assert len(labels) == len(set(labels))


@pytest.mark.parametrize("name", PLOTS)
def test_axes_have_names_and_units_and_no_title(name: str) -> None:
    axes = drawn(name)
    assert axes.get_xlabel()
    assert axes.get_ylabel() or axes.get_yticklabels()
    assert not axes.get_title()
    assert hasattr(axes, "_repr_png_")


def test_series_differ_in_grey_prints_too() -> None:
    grey = [np.dot(to_rgb(color), (0.299, 0.587, 0.114)) for color, _ in style.SERIES]
    assert min(abs(a - b) for a, b in pairwise(grey)) > 0.15
    assert len({marker for _, marker in style.SERIES}) == len(style.SERIES)


ON_AXES: list[Callable[[Any], Axes]] = [
    lambda ax: plot_fit(FITS["ann"], ax),
    lambda ax: plot_residuals(FITS["ann"], ax),
    lambda ax: plot_dprime({8: dprime_from_counts(20, 40)}, ax),
    lambda ax: plot_scaling(scaled(), ax),
    lambda ax: plot_distortion_ratios(RATIOS, ax),
    lambda ax: plot_thresholds(FITS, ax),
    lambda ax: plot_ranking(ranking(), ax),
    lambda ax: plot_timing([0], ax),
    lambda ax: plot_response_times([0.5], ax),
]


@pytest.mark.parametrize("draw", ON_AXES)
def test_plots_go_where_they_are_told(draw: Callable[[Any], Axes]) -> None:
    left, right = Figure().subplots(1, 2)
    assert draw(right) is right
    assert right.has_data()
    assert not left.has_data()
    assert right.spines["top"].get_visible()  # the user's own style
    assert right.get_legend() is None
    assert not legends(right)
    with pytest.raises(WrongType, match="ax must be None or axes of matplotlib; not 5"):
        draw(5)


@pytest.mark.parametrize("draw", ON_AXES)
def test_all_is_seen_on_dark_axes_too(draw: Callable[[Any], Axes]) -> None:
    with dark_or_light.context("dark_background"):
        axes = draw(Figure().subplots())
        drawn_colors = [line.get_color() for line in axes.lines]
        drawn_colors += [text.get_color() for text in axes.texts if text.get_text()]
        drawn_colors += [bar.get_edgecolor() for bar in axes.patches if not bar.get_fill()]
    assert all(max(to_rgb(color)) > 0.4 for color in drawn_colors)
    for points in axes.collections:
        assert np.allclose(points.get_facecolor(), (0, 0, 0, 1))  # hollow, as on light paper


# -- fits ------------------------------------------------------------------------------------------


def test_a_fit_shows_answers_curve_and_threshold() -> None:
    given = counts((10, 26, 18, 20), (20, 40, 20, 20))
    found = fit(given)
    axes = plot_fit(found, unit="window_px", true=25.0)
    (points,) = axes.collections
    seen = given.n_correct / given.n_trials
    np.testing.assert_allclose(points.get_offsets(), np.stack([LEVELS, seen], axis=1))
    area = points.get_sizes()
    np.testing.assert_allclose(area / area.max(), given.n_trials / given.n_trials.max())
    (bars,) = [np.reshape(y, (4, 3)) for x, y in lines(axes) if len(x) == 12]
    np.testing.assert_allclose(
        bars[:, :2], np.stack(wilson(given.n_correct, given.n_trials), axis=1)
    )
    ((x, y),) = [line for line in lines(axes) if len(line[0]) == 200]
    np.testing.assert_allclose(y, found.function(x))
    assert ([found.low, found.high], [0.75, 0.75]) in lines(axes)
    assert ([found.threshold], [0.75]) in lines(axes)
    assert any(x == [25.0, 25.0] for x, _ in lines(axes))
    assert {0.5, 1 - found.function.lapse} <= {y[0] for _, y in lines(axes)}
    assert axes.get_xlabel() == "window size (pixels)"
    assert axes.get_ylabel() == "proportion correct"
    assert (
        f"threshold at 75 %, these answers: {found.threshold:.3g} [{found.low:.3g}, {found.high:.3g}]"
        in words(axes)
    )
    assert "true threshold (simulated): 25" in words(axes)


def test_an_open_interval_ends_in_an_arrow_and_no_truth_is_invented() -> None:
    axes = plot_fit(replace(FITS["ann"], high=np.inf))
    edge = axes.get_xlim()[1]
    arrows = [line.get_xdata() for line in axes.get_lines() if line.get_marker() == ">"]
    assert arrows == [[edge]]
    assert words(axes)[-1].endswith(", ∞)")
    assert not any("true" in word for word in words(axes))
    none = plot_fit(replace(FITS["ann"], threshold=np.inf, high=np.inf))
    assert words(none)[-1] == "threshold at 75 %, these answers: beyond the levels shown"


def test_two_fits_share_axes() -> None:
    axes = two_fits()
    first, second = axes.collections
    assert not np.array_equal(first.get_edgecolor(), second.get_edgecolor())
    assert [word.partition(":")[0] for word in words(axes)] == ["fovea", "periphery"]
    low, high = axes.get_xlim()
    assert low < LEVELS[0] < 3 * LEVELS[-1] < high
    (legend,) = legends(axes)
    assert legend.get_title().get_text() == "threshold at 75 %"


def test_many_levels_have_no_intervals_that_hide_them() -> None:
    axes = drawn("fit of sixty levels")
    assert len(axes.collections[0].get_offsets()) == len(np.unique(MANY))
    assert all(len(x) <= 2 or len(x) == 200 for x, _ in lines(axes))


def test_ticks_are_levels_or_round_numbers() -> None:
    def shown(name: str) -> list[str]:
        return [tick.get_text() for tick in drawn(name).get_xticklabels()]

    assert shown("fit") == ["8", "16", "32", "64"]
    assert shown("fit of tiny levels") == ["0.001", "0.002", "0.003", "0.005"]
    assert shown("fit of sixty levels") == ["10", "15", "20", "30", "50"]


def test_an_axis_of_ones_own_is_that_of_the_plot() -> None:
    axes = drawn("fit on an axis of one's own")
    at = axes.transData.transform([(level, 0.5) for level in (0, 1, 4, 9)])[:, 0]
    np.testing.assert_allclose(np.diff(at), at[1] - at[0])
    assert axes.get_xlim()[0] == 0  # no level lies below
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "1", "4", "9"]
    ((x, _),) = [line for line in lines(axes) if len(line[0]) == 200]
    np.testing.assert_allclose(np.diff(np.sqrt(x)), np.sqrt(x[-1]) / 199)


def test_fits_on_different_axes_share_a_plot() -> None:
    first = fitted((20, 25, 36, 40), 40, (0, 1, 2, 3), axis="linear", label="linear")
    both = fitted((25, 36, 40), 40, (1, 2, 3), ax=first, label="log")
    assert both.get_xscale() == "linear"
    curves = [x for x, _ in lines(both) if len(x) == 200]
    assert curves[0][0] < 0 < curves[1][0] == pytest.approx(1)


def test_the_lower_asymptote_is_named_for_what_it_is() -> None:
    assert {text.get_text() for text in drawn("fit").texts} == {"chance", "1 − lapses"}
    free = {text.get_text() for text in drawn("fit with a free guess rate").texts}
    assert free == {"guess rate", "1 − lapses"}


def test_what_is_not_determined_is_not_given_as_a_number() -> None:
    axes = plot_fit(replace(FITS["ann"], low=0.0, high=np.inf))
    assert words(axes)[-1] == "threshold at 75 %, these answers: not determined"


def test_residuals_are_those_of_the_deviance() -> None:
    given = counts()
    axes = plot_residuals(fit(given))
    left_over = np.asarray(axes.collections[-1].get_offsets())[:, 1]
    assert (left_over**2).sum() == pytest.approx(fit(given).deviance)
    expected = given.n_trials * fit(given).function(LEVELS)
    np.testing.assert_array_equal(np.sign(left_over), np.sign(given.n_correct - expected))
    low, high = axes.get_ylim()
    assert low == -high <= -1.96


# -- d' --------------------------------------------------------------------------------------------


def test_dprime_has_its_intervals_and_an_open_one_an_arrow() -> None:
    found = {
        level: dprime_from_counts(n, 50) for level, n in zip(LEVELS, (26, 25, 43, 50), strict=True)
    }
    axes = plot_dprime(found, unit="px")
    top = axes.get_ylim()[1]
    (bars,) = [np.reshape(y, (4, 3)) for x, y in lines(axes) if len(x) == 12]
    np.testing.assert_allclose(bars[:, 0], [d.low for d in found.values()])
    np.testing.assert_allclose(bars[:, 1], [min(d.high, top) for d in found.values()])
    assert bars[-1, 1] == top
    assert ([64.0], [top]) in lines(axes)
    np.testing.assert_allclose(
        axes.collections[0].get_offsets(), [(x, d.estimate) for x, d in found.items()]
    )
    with pytest.raises(InputError, match="at least one level"):
        plot_dprime({})


# -- thresholds ------------------------------------------------------------------------------------


def test_critical_scaling_stands_where_the_curve_leaves_chance() -> None:
    made = scaled()
    axes = plot_scaling(made, true=10.0)
    drawn_at = lines(axes)
    x, y = next(line for line in drawn_at if len(line[0]) == 200)
    below = np.array(x) <= made.critical
    assert 0 < below.sum() < 200
    assert np.allclose(np.array(y)[below], made.link.guess)
    assert np.array(y)[~below].min() > 0.5
    assert ([made.critical], [0.5]) in drawn_at
    assert ([made.critical_low, made.critical_high], [0.5, 0.5]) in drawn_at
    seen = axes.collections[0].get_offsets()
    assert np.allclose(seen, np.transpose([LEVELS, np.array([26, 25, 43, 50]) / 50]))
    assert "critical scaling of the simulated observers: 10" in words(axes)


def test_ratios_of_distortions_stand_at_their_predictions() -> None:
    axes = plot_distortion_ratios(RATIOS)
    seen = [points.get_offsets().tolist() for points in axes.collections]
    assert seen == [[[2.5, 2.0], [3.0, 2.5]], [[8.0, 1.0]]]
    assert words(axes) == ["retina", "filters"]
    (x, y), (other_x, other_y) = [
        line for line in lines(axes) if len(line[0]) % 3 == 0 < len(line[0])
    ]
    assert (x[:2], y[:2]) == ([2.5, 2.5], [1.5, 2.5])
    assert (other_x[:2], tuple(other_y[:2])) == ([8.0, 8.0], axes.get_ylim())
    with pytest.raises(InputError, match="'retina' was fitted without a prediction"):
        plot_distortion_ratios({"retina": [ratio(1.0, None)]})
    with pytest.raises(InputError, match="no ratio to plot"):
        plot_distortion_ratios({"retina": []})


def test_thresholds_stand_in_order_with_their_truth() -> None:
    axes = plot_thresholds(FITS, unit="px", true={"ann": 18.0})
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(FITS)
    ann = FITS["ann"]
    assert ([ann.low, ann.high], [0, 0]) in lines(axes)
    assert ([ann.threshold], [0]) in lines(axes)
    assert ([18.0], [0]) in lines(axes)
    beside = [text.get_text() for text in axes.texts]
    assert beside[0] == f"{ann.threshold:.3g} [{ann.low:.3g}, {ann.high:.3g}]"
    assert axes.get_xlabel() == "threshold, size (pixels)"
    low, high = axes.get_ylim()
    assert low > high  # the first is on top
    numbered = plot_thresholds(list(FITS.values()))
    assert [tick.get_text() for tick in numbered.get_yticklabels()] == ["1", "2", "3"]
    with pytest.raises(InputError, match="at least one"):
        plot_thresholds({})
    with pytest.raises(InputError, match="did you mean 'ann'"):
        plot_thresholds(FITS, true={"anne": 18.0})


def test_forty_rows_have_forty_labels() -> None:
    axes = plot_thresholds([FITS["ann"]] * 40)
    assert len(axes.texts) == 40


# -- others ----------------------------------------------------------------------------------------


def test_bars_of_a_ranking_are_its_bits_with_their_intervals() -> None:
    found = ranking()
    axes = plot_ranking(found)
    rows = (*found.rows, *found.baselines)
    bars = [bar for container in axes.containers for bar in container]
    assert [bar.get_width() for bar in bars] == [row.bits for row in rows]
    places = [bar.get_y() + bar.get_height() / 2 for bar in bars]
    drawn_lines = [(x, [round(v, 9) for v in y]) for x, y in lines(axes)]
    for place, row in zip(places, rows, strict=True):
        assert ([row.low, row.high], [round(place, 9)] * 2) in drawn_lines, row
    assert axes.get_xlabel() == "held-out bits per trial above chance"
    (band,) = [patch for patch in axes.patches if patch.get_label() == "noise ceiling"]
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((0.4, 0.5))
    assert places[3] - places[2] > places[2] - places[1]  # baselines stand apart


def test_a_tied_set_has_one_colour_and_is_named() -> None:
    axes = plot_ranking(ranking())
    faces = [bar.get_facecolor() for container in axes.containers for bar in container]
    assert faces[0] == faces[1] != faces[2]
    beside = [text.get_text() for text in axes.texts]
    assert beside[:3] == ["most bits", "not told apart", "−0.200 [−0.300, −0.100]"]
    assert "not told apart from the best" in words(axes)
    alone = plot_ranking(ranking(p=0.001))
    assert [text.get_text() for text in alone.texts][:2] == ["best", "−0.050 [−0.100, 0.000]"]
    assert "best" in words(alone)
    assert "not told apart from the best" not in words(alone)


def test_pictures_are_the_frames() -> None:
    frames = [np.full((4, 4), v, dtype=np.uint8) for v in (0, 128, 255)]
    drawn = display_stimuli([[Tile(pixels=f, heading=str(i)) for i, f in enumerate(frames)]])
    for axes, frame in zip(drawn.axes, frames, strict=True):
        (image,) = axes.get_images()
        assert (np.asarray(image.get_array()) == frame).all()
        assert image.get_clim() == (0, 255)  # no stretching of contrast
    with pytest.raises(InputError, match="no stimulus"):
        display_stimuli([])


def test_a_reduced_frame_keeps_its_mean_grey() -> None:
    """A grating of one pixel is grey when it is small; single pixels of it would be black or white."""
    lines = np.tile(np.uint8([0, 255]), (256, 128))
    figure = display_stimuli([[Tile(pixels=lines, heading="")]])
    figure.canvas.draw()
    x0, y0, x1, y1 = figure.axes[0].get_window_extent().padded(-4).extents.astype(int)
    shown = np.asarray(figure.canvas.buffer_rgba())[::-1][y0:y1, x0:x1, 0]
    assert abs(shown.mean() - 127.5) < 3
    assert shown.std() < 40


def test_late_frames_show_in_the_histogram() -> None:
    bars = plot_timing(np.array([0] * 50 + [1, 1, 3])).patches
    heights = {bar.get_x() + bar.get_width() / 2: bar.get_height() for bar in bars}
    assert {round(x): h for x, h in heights.items()} == {0: 50, 1: 2, 3: 1}


def test_slow_answers_are_in_the_last_bar() -> None:
    times = [0.5] * 199 + [30.0]
    bars = plot_response_times(times).patches
    assert sum(bar.get_height() for bar in bars) == 200
    assert bars[-1].get_height() >= 1
    assert bars[-1].get_x() < 1


def test_intervals_of_a_curve_and_of_the_population_say_whose_they_are() -> None:
    people, levels = np.repeat(list("abcd"), 3), np.tile([8, 16, 32], 4)
    right = [11, 16, 19, 12, 15, 20, 10, 13, 18, 14, 17, 20]
    others = population_threshold(people, None, levels, right, [20] * 12)
    axes = plot_fit(fit_psychometric(levels, right, [20] * 12), population=others)
    labels = axes.get_legend_handles_labels()[1]
    assert any(label.startswith("threshold at 75 %, these answers: ") for label in labels)
    assert any(label.startswith("new people: ") for label in labels)


def test_a_difference_without_an_interval_is_not_drawn_with_infinite_ends() -> None:
    found = ranking()
    rows = (
        found.rows[0],
        *(replace(r, difference_low=-np.inf, difference_high=np.inf) for r in found.rows[1:]),
    )
    texts = [text.get_text() for text in plot_ranking(replace(found, rows=rows)).texts]
    assert not any("inf" in text for text in texts)


# -- several fits on the same axes -----------------------------------------------------------------


def _wide_after_narrow() -> tuple[Axes, ScalingFit]:
    """Return axes of a fit whose interval leaves its own axis, and then of one with much wider levels."""
    first = replace(scaled(), critical=9.0, critical_low=2.0, critical_high=100.0)
    axes = plot_scaling(first, label="first")
    wide = fit_critical_scaling(
        LEVELS[[0, 0, 0, 0]] * [0.1, 1, 10, 100], [26, 25, 43, 50], [50] * 4
    )
    return plot_scaling(wide, axes, label="second"), first


def _arrows(axes: Axes) -> list[float]:
    found = [line.get_xdata()[0] for line in axes.get_lines() if line.get_marker() in ("<", ">")]
    return [float(x) for x in found if np.isfinite(x)]


def test_an_interval_is_whole_where_a_later_fit_makes_room_for_it() -> None:
    first = replace(scaled(), critical=9.0, critical_low=2.0, critical_high=100.0)
    axes = plot_scaling(first)
    assert _arrows(axes) == list(axes.get_xlim())
    shared, _ = _wide_after_narrow()
    assert shared.get_xlim()[0] < 2.0
    assert shared.get_xlim()[1] > 100.0
    assert ([2.0, 100.0], [0.5, 0.5]) in lines(shared)
    assert all(edge in shared.get_xlim() for edge in _arrows(shared))


@pytest.mark.parametrize("limits", [(0.01, 10_000.0), (3.0, 20.0)])
def test_curves_reach_the_limits_that_the_axes_end_with(limits: tuple[float, float]) -> None:
    axes, first = _wide_after_narrow()
    axes.set_xlim(*limits)
    curves = [line for line in lines(axes) if len(line[0]) == 200]
    assert len(curves) == 2
    for x, _ in curves:
        np.testing.assert_allclose([x[0], x[-1]], limits)
    np.testing.assert_allclose(curves[0][1], first.p_correct(np.array(curves[0][0])))


def test_a_threshold_beyond_the_axis_appears_when_there_is_room() -> None:
    axes = plot_fit(replace(FITS["ann"], threshold=1000.0, low=500.0, high=2000.0))
    assert not any(x == [1000.0] for x, _ in lines(axes))
    axes.set_xlim(1, 4000)
    assert ([1000.0], [0.75]) in lines(axes)
    assert ([500.0, 2000.0], [0.75, 0.75]) in lines(axes)
    again = pickle.loads(pickle.dumps(axes))
    assert ([1000.0], [0.75]) in lines(again)


def test_open_intervals_of_dprime_end_at_the_edge_of_the_final_axes() -> None:
    axes = plot_dprime({8.0: dprime_from_counts(25, 50), 16.0: dprime_from_counts(50, 50)})
    axes.set_ylim(-1, 20)
    assert ([16.0], [20.0]) in lines(axes)
    assert max(np.nanmax(y) for x, y in lines(axes) if len(x) == 6) == 20.0


def test_ratios_of_distortions_share_axes_whose_limits_hold_both() -> None:
    first = plot_distortion_ratios({"wide": [ratio(6.0, 9.0), ratio(1.0, 2.0, np.inf)]})
    before = first.get_xlim(), first.get_ylim()
    axes = plot_distortion_ratios({"narrow": [ratio(1.0, 1.5)]}, first)
    for (low, high), (was_low, was_high) in zip(
        (axes.get_xlim(), axes.get_ylim()), before, strict=True
    ):
        assert low <= was_low
        assert high >= was_high
    axes.set_ylim(-9, 20)
    assert ([2.0], [20.0]) in lines(axes)
    assert ([2.0], [-9.0]) in lines(axes)


@pytest.mark.parametrize(
    ("right", "said"),
    [
        ((10, 11, 9, 10), "none, answers at chance"),
        ((0, 1, 0, 0), "none, answers below chance"),
        ((10, 10, 10, 20), None),
    ],
)
def test_without_a_threshold_a_plot_says_why(right: tuple[int, ...], said: str | None) -> None:
    found = fit(counts(right))
    said = said or f"{found.threshold:.3g} [{found.low:.3g}, {found.high:.3g}]"
    assert words(plot_fit(found))[-1] == f"threshold at 75 %, these answers: {said}"
    assert said in [text.get_text() for text in plot_thresholds({"ann": found}).texts]
