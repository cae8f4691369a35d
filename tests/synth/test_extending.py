"""The guide to extensions runs, block after block."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

GUIDE = Path(__file__).parents[2] / "docs" / "extending.md"


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        exec(compile(block, str(GUIDE), "exec"), names)
    return names


def test_a_subclass_of_a_model_has_metamers(made: dict[str, Any]) -> None:
    model = made["metamer"].model
    skew = model.convert_to_dict(model(made["grass"]))["skew_reconstructed"]
    assert bool((skew == 0).all())
    assert made["metamer"].losses[-1] < made["metamer"].losses[0]


def test_mixtures_and_penalties_are_arguments(made: dict[str, Any]) -> None:
    mixed = made["mixed"]
    assert mixed.losses[-1] < mixed.losses[0]
    assert "smooth" in mixed.run.history


def test_a_synthesis_of_ones_own_has_all_the_rest(made: dict[str, Any], tmp_path: Path) -> None:
    dark = made["dark"]
    means = dark._resumable.points.mean((1, 2, 3))
    torch.testing.assert_close(means, torch.full((3,), 0.2), atol=1e-3, rtol=0)
    dark.save(tmp_path / "dark.h5")
    again = made["GivenMean"](torch.zeros(3, 1, 16, 16), 0.2)
    again.load(tmp_path / "dark.h5")
    assert torch.equal(again.losses, dark.losses)
    again.to(torch.float64)
    again.synthesize(1)


def test_a_competition_starts_from_another_image(made: dict[str, Any]) -> None:
    contest = made["contest"]
    assert torch.equal(contest.initial_image, made["gravel"])
    assert contest.optimized_metric_loss[-1] < contest.optimized_metric_loss[0]
    kind, metrics = made["FromAnotherImage"], made["metrics"]
    without = kind(made["grass"], metrics.mse, lambda x, y: (x - y).abs().mean(), "min")
    assert not torch.equal(without.initial_image, contest.initial_image)


@pytest.mark.parametrize("name", ["by_sign", "by_lbfgs"])
def test_optimizers_of_any_kind_lower_the_loss(made: dict[str, Any], name: str) -> None:
    assert made[name].losses[-1] < made[name].losses[0]


def test_a_stop_rule_of_ones_own_ends_the_run(made: dict[str, Any]) -> None:
    exact = made["exact"]
    assert bool((exact.losses[-1] < 1e-9).all())
    assert len(exact.losses) < 100


def test_what_the_guide_names_is_there() -> None:
    """Files and dotted names in backquotes."""
    text = GUIDE.read_text()
    for path in re.findall(r"`(stimsynth/[\w/]+\.py)`", text):
        assert (GUIDE.parents[1] / path).exists(), path
    for name in re.findall(r"`(stimsynth(?:\.\w+)+)`", text):
        module, _, attribute = name.rpartition(".")
        assert hasattr(__import__(module, fromlist=[attribute]), attribute), name
