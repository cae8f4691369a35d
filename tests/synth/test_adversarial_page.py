"""The page on adversarial images: what it says of its images holds."""

from pathlib import Path

import pytest

from tests.pages import run

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "adversarial.md"


@pytest.mark.long
def test_both_methods_fool_the_network_and_noise_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = run(PAGE)
    chance, fooling = names["horizontal_by"], names["fooling"]
    assert chance(names["vertical"][:1]) < 0.05 < 0.95 < chance(names["horizontal"][:1])
    assert names["met"].quality()[0].good
    assert chance(names["met"].metamer) > 0.95
    assert chance(fooling.initial_image) < 0.05
    assert chance(fooling.mad_image) > 0.5
    errors = [
        names["metrics"].mse(fooling.image, x) for x in (fooling.initial_image, fooling.mad_image)
    ]
    assert float(errors[1] / errors[0]) == pytest.approx(1, abs=1e-5)
