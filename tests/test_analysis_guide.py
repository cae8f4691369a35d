"""The guide to the analysis: its lines run, its study is a plan, and its links lead somewhere."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from analysis.planning.study_file import read_study

pytestmark = pytest.mark.road

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "analysis.md"


def write_trials(path: Path) -> None:
    """The table that the guide reads: five people and a pilot, three photographs, two places, two sides."""
    rng = np.random.default_rng(4)
    people = ["pilot", "ann", "ben", "cy", "dee", "eva"]
    grid = [people, ["leaf", "moss", "sand"], ["near", "far"], [2, 4, 8, 16], range(10)]
    names = ["subj", "photo", "place", "size", "rep"]
    rows = pd.MultiIndex.from_product(grid, names=names).to_frame(index=False).drop(columns="rep")
    halfway = rows.place.map({"near": 3.0, "far": 6.0})
    right = rng.random(len(rows)) < 0.5 + 0.48 * ndtr(np.log2(rows["size"] / halfway))
    left = rng.random(len(rows)) < 0.5
    rows["side"] = np.where(left, "left", "right")
    rows["key"] = np.where(left == right, "left", "right")
    rows["RT"] = rng.lognormal(6.0, 0.5, len(rows)).round()
    rows["ssim"] = rows["size"] / halfway
    rows.to_csv(path, index=False)


def test_the_guides_code_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    write_trials(tmp_path / "trials.csv")
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        exec(block, known)
    assert known["fits"].table.place.tolist() == ["far", "near"]
    assert known["found"]["far", "near"].estimate.low > 1
    assert known["ranking"].rows[0].label == "ssim"
    assert "equivalent" not in capsys.readouterr().out


def test_the_guides_study_is_a_plan(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    plan = read_study(tmp_path / "study.toml")
    assert [design.n_participants for design in plan.designs] == [5, 10, 20]
    assert sorted(plan.truth) == ["far", "near"]


def test_the_guides_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", GUIDE.read_text())
    assert links
    for link in links:
        assert (GUIDE.parent / link).exists(), link
