"""Letters of the report can be read on light and on dark pages (WCAG 2.2, success criterion 1.4.3)."""

import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from analysis.report.page.style_sheet import STYLE

PALETTES = [
    dict(re.findall(r"(--\w+): (#[0-9a-f]+)", block))
    for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
]


def luminance(color: str) -> float:
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", PALETTES, ids=["light", "dark"])
@pytest.mark.parametrize("letters", ["--ink", "--quiet", "--blue", "--orange", "--red"])
def test_letters_have_contrast(colors: dict[str, str], letters: str) -> None:
    assert contrast(colors[letters], colors["--paper"]) >= 4.5


@pytest.mark.parametrize("colors", PALETTES, ids=["light", "dark"])
def test_ink_has_contrast_on_every_ground(colors: dict[str, str]) -> None:
    for ground in ("--page", "--paper", "--code", "--notice"):
        assert contrast(colors["--ink"], colors[ground]) >= 7
