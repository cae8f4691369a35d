"""What pictures show is what they were given: positions are read back from the drawn objects."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.observers.sdt import wilson
from analysis.plots.psychometric import (
    Marker,
    Points,
    dprime_plot,
    intervals_plot,
    psychometric_plot,
)
from analysis.plots.ranking import ranking_plot
from analysis.plots.stimuli import Tile, stimuli_panel
from analysis.plots.style import to_png, unit_label
from analysis.plots.timing import timing_plot

LEVELS = np.array([8.0, 16, 32, 64])
POINTS = Points(levels=LEVELS, n_correct=np.array([10.0, 12, 18, 20]), n_trials=np.full(4, 20.0))
CURVE = (LEVELS, np.array([0.52, 0.6, 0.9, 0.98]))


def lines(figure: Figure) -> list[tuple[list[float], list[float]]]:
    return [
        (np.ravel(line.get_xdata()).tolist(), np.ravel(line.get_ydata()).tolist())
        for line in figure.axes[0].get_lines()
    ]


def bars(figure: Figure) -> np.ndarray:
    (collection,) = figure.axes[0].collections
    return np.array([[s[0][1], s[1][1]] for s in collection.get_segments()])


def test_points_carry_binomial_bars() -> None:
    marker = Marker(p=0.75, threshold=22.0, low=17.0, high=30.0, true=25.0)
    drawn = psychometric_plot(POINTS, CURVE, marker, unit="window_px")
    low, high = wilson(POINTS.n_correct, POINTS.n_trials)
    assert bars(drawn) == pytest.approx(np.stack([low, high], axis=1))
    assert ([17.0, 30.0], [0.75, 0.75]) in lines(drawn)
    assert ([22.0], [0.75]) in lines(drawn)
    assert any(x == [25.0, 25.0] for x, _ in lines(drawn))
    assert drawn.axes[0].get_xlabel() == "window size (pixels)"


def test_open_interval_is_drawn_to_the_edge_and_no_truth_is_invented() -> None:
    marker = Marker(p=0.75, threshold=np.inf, low=50.0, high=np.inf)
    drawn = psychometric_plot(POINTS, CURVE, marker, unit="window_px")
    edge = drawn.axes[0].get_xlim()[1]
    assert ([50.0, edge], [0.75, 0.75]) in lines(drawn)
    words = [text.get_text() for text in drawn.axes[0].get_legend().get_texts()]
    assert not any("true" in word or "threshold" in word for word in words)


def test_infinite_upper_end_of_dprime_stays_in_the_picture() -> None:
    ends = (np.array([0.0, 0.2, 1.0, 2.0]), np.array([0.9, 1.2, 2.5, np.inf]))
    drawn = dprime_plot(LEVELS, np.array([0.0, 0.6, 1.8, 3.0]), ends, curve=None, unit="px")
    top = drawn.axes[0].get_ylim()[1]
    assert bars(drawn)[-1] == pytest.approx([2.0, top])


def test_participants_stand_in_order_with_their_truth() -> None:
    markers = [
        Marker(p=0.75, threshold=20.0, low=15.0, high=27.0, true=18.0),
        Marker(p=0.75, threshold=np.inf, low=30.0, high=np.inf, true=None),
    ]
    drawn = intervals_plot(["ann", "ben"], markers, unit="px")
    assert [t.get_text() for t in drawn.axes[0].get_yticklabels()] == ["ann", "ben"]
    assert ([15.0, 27.0], [0, 0]) in lines(drawn)
    assert ([18.0], [0]) in lines(drawn)


def test_bars_of_a_ranking_are_its_bits() -> None:
    bits = np.array([0.3, 0.1, 0.0])
    drawn = ranking_plot(["a", "b", "chance"], bits, (bits - 0.1, bits + 0.1))
    assert [p.get_width() for p in drawn.axes[0].patches] == pytest.approx(bits.tolist())
    assert ([0.0, 0.2], [1, 1]) in [([round(v, 9) for v in x], y) for x, y in lines(drawn)]


def test_pictures_are_the_frames() -> None:
    frames = [np.full((4, 4), v, dtype=np.uint8) for v in (0, 128, 255)]
    drawn = stimuli_panel([[Tile(pixels=f, heading=str(i)) for i, f in enumerate(frames)]])
    for axes, frame in zip(drawn.axes, frames, strict=True):
        (image,) = axes.get_images()
        assert (np.asarray(image.get_array()) == frame).all()
        assert image.get_clim() == (0, 255)  # no stretching of contrast


def test_late_frames_show_in_the_histogram() -> None:
    drawn = timing_plot(np.array([0] * 50 + [1, 1, 3]), [0.4, 0.5, 0.6])
    heights = {p.get_x() + p.get_width() / 2: p.get_height() for p in drawn.axes[0].patches}
    assert {round(x): h for x, h in heights.items()} == {0: 50, 1: 2, 3: 1}


def test_png_is_the_same_every_time() -> None:
    """No time stamp or random name enters, so a report of the same data has the same bytes."""

    def made() -> bytes:
        return to_png(ranking_plot(["a", "b"], np.array([0.2, 0.0]), (np.zeros(2), np.zeros(2))))

    assert made() == made()
    assert unit_label("scaling_factor") == "scaling factor"
