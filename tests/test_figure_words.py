"""Numbers and words that figures show: each is compared with what the test computes itself."""

import re

import numpy as np
import pytest
import torch

from stimsynth import plots
from tests.figures import catalogue
from tests.figures.catalogue import drawn

_TOLERANCE = {"2g": 0.06, "3g": 0.006}  # relative, of numbers with two and three digits


def lines_of(name: str) -> list[list[str]]:
    """Return the lines of the titles of a figure's axes."""
    return [axes.get_title().split("\n") for axes in drawn(name).axes]


def test_amplitudes_below_eigendistortions_are_their_largest_values() -> None:
    found = catalogue.distortions()
    wanted = [float(found.eigendistortions[k].mean(dim=0).abs().max()) for k in (0, -1)]
    words = [line for lines in lines_of("eigendistortions") for line in lines]
    shown = [float(word[1:]) for word in words if word.startswith("±")]
    assert len(shown) == 2
    assert shown == pytest.approx(wanted, rel=_TOLERANCE["2g"])


def test_values_above_a_mad_set_are_those_of_its_images() -> None:
    image = catalogue.photo(size=16)
    shown = iter(lines_of("MAD set"))
    for level in catalogue.levels():
        assert next(shown)[0] == "Reference image"
        first, *values = next(shown)
        assert first == f"Noise {level.noise_level:g}"
        pictures = [level.initial_image, *(m.image for m in level.members.values())]
        every = [values, *(next(shown)[1:] for _ in level.members)]
        for picture, (one, two) in zip(pictures, every, strict=True):
            metrics = (1 - catalogue.ssim(image, picture), (image - picture).square().mean())
            for number, (line, wanted) in enumerate(zip((one, two), metrics, strict=True), 1):
                name, value = line.split(": ")
                assert name == f"metric {number}"
                assert float(value) == pytest.approx(float(wanted), rel=_TOLERANCE["3g"])
    assert next(shown, None) is None


@pytest.mark.parametrize("size", [(24, 16), (3, 40)])
def test_sizes_are_height_and_width_and_ranges_least_and_largest(size: tuple[int, int]) -> None:
    values = torch.linspace(-0.25, 2.5, size[0] * size[1]).reshape(size)
    film = plots.animshow(values[None, None, None], zoom=3)
    pyramid = plots.pyrshow({"residual_lowpass": values[None, None]}, zoom=3)
    for figure in (plots.imshow(values, zoom=3), film.figure, pyramid):
        (axes,) = figure.axes
        text = " ".join(axes.get_title().split())
        assert text.endswith(f"range: [-0.25, 2.5] dims: [{size[0]}, {size[1]}] * 3")
        box = axes.get_window_extent()
        assert (round(box.height), round(box.width)) == (3 * size[0], 3 * size[1])


#: Names of the horizontal and vertical axes of each plot.
AXES = {
    "histogram": [("Value", "Number of values")],
    "loss": [("Synthesis iteration", "Loss")],
    "losses of competitions": [("Synthesis iteration", "Loss")] * 2,
    "pixel values": [("Pixel value", "Number of pixels")],
    "deviation from a line": [
        (
            "Distance along the line between the ends (of its length)",
            "Distance from that line (of its length)",
        )
    ],
    "status of a competition": [
        ("Synthesis iteration", "Optimized metric loss"),
        ("Synthesis iteration", "Reference metric loss"),
        ("Pixel value", "Number of pixels"),
    ],
    "status of an optimized image": [
        ("Synthesis iteration", "Objective"),
        ("Pixel value", "Number of pixels"),
    ],
}


@pytest.mark.parametrize("name", AXES)
def test_axes_have_the_names_of_what_they_show(name: str) -> None:
    named = [(axes.get_xlabel(), axes.get_ylabel()) for axes in drawn(name).axes]
    assert sorted(pair for pair in named if any(pair)) == sorted(AXES[name])


def test_counts_are_numbers_of_values() -> None:
    """As the axis says: not shares, nor densities."""
    (axes,) = drawn("histogram").axes
    assert sum(bar.get_height() for bar in axes.patches) == 2 * 32 * 32


def test_losses_are_those_of_the_synthesis() -> None:
    metamer = catalogue.metamer()
    (axes,) = drawn("loss").axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), metamer.losses[:, 0])
    assert axes.lines[-1].get_xydata().tolist() == [[2, float(metamer.losses[2, 0])]]


def test_titles_of_eigendistortions_name_rank_and_amplitude() -> None:
    titles = [" ".join(lines) for lines in lines_of("eigendistortions")]
    last = catalogue.distortions().image[0].numel() - 1
    assert titles[:2] == ["image", "eigendistortion 0, alpha 5"]
    assert re.fullmatch(rf"eigendistortion (-1|{last}), alpha 5", titles[2])
