"""What a prompt and a notebook show of a synthesis and of a bank: a line; facts and a picture."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stimsynth import Gaussian, Metamer, images, remove_grad
from tests.helpers import tiny_bank


def picture(page: str) -> np.ndarray:
    (data,) = re.findall(r"data:image/png;base64,([^\"]+)", page)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_a_synthesis_is_a_line_and_a_picture() -> None:
    met = Metamer(images.load("camera", size=32), remove_grad(Gaussian(5)), seed=0)
    assert repr(met) == "Metamer(1 × 1 × 32 × 32, not begun)"
    met.synthesize(max_iter=3)
    loss = f"{float(met.losses[-1, 0]):.3g}"
    assert repr(met).startswith(
        f"Metamer(1 × 1 × 32 × 32, 3 steps, loss {loss}, stopped at max_iter"
    )
    shown = picture(met._repr_html_())
    wanted = (met.metamer.detach()[0, 0].clamp(0, 1) * 255).round().numpy()
    np.testing.assert_array_equal(shown[::4, ::4], wanted)
    assert shown.shape == (128, 128)


def test_a_bank_is_shown_with_facts_and_its_first_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = tiny_bank(tmp_path)
    page = bank._repr_html_()
    assert bank.pin in page
    assert "2 reference" in page
    assert picture(page).shape[2] == 3
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    assert "<img" not in bank._repr_html_()
