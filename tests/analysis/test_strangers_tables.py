"""A stranger's table: three tables as other laboratories write them, to a table and a figure in six lines."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import read_trials
from analysis.observers.links import link_of
from stimuli_store.tasks import task_named


@pytest.fixture
def oddity(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """Three-interval oddity; every observer saw every image; German spreadsheet, answers in words."""
    rng = np.random.default_rng(1)
    people, images = [f"VP{i:02d}" for i in range(4)], ["wald", "wiese", "haus"]
    rows = pd.MultiIndex.from_product(
        [people, images, ["netz", "textur"], [0.25, 0.5, 1.0], range(5)],
        names=["Vp", "Bild", "Modell", "Abstand", "Nr"],
    ).to_frame(index=False)
    words = np.array(["erstes", "zweites", "drittes"])
    rows["Ungerade"] = words[rng.integers(0, 3, len(rows))]
    seen = rng.random(len(rows)) < rows.Abstand
    rows["Taste"] = np.where(seen, rows.Ungerade, words[rng.integers(0, 3, len(rows))])
    rows.loc[rng.random(len(rows)) < 0.05, "Taste"] = "keine"
    rows["lpips"] = rows.Abstand * rng.uniform(0.8, 1.2, len(rows))
    path = tmp_path / "oddity.csv"
    text = rows.to_csv(index=False, sep=";", decimal=",").replace("keine", "")
    path.write_bytes(text.encode("cp1252"))
    return path, rows


def test_oddity_with_crossed_images(oddity: tuple[Path, pd.DataFrame]) -> None:
    path, meant = oddity
    roles = {"participant": "Vp", "image": "Bild", "level": "Abstand", "answer": "Ungerade"}
    words = {"erstes": "1", "zweites": "2", "drittes": "3"}
    more = {"response": "Taste", "answers": words, "evidence": {"lpips": "lpips"}}
    answers = read_trials(path, {**roles, **more}, task="oddity")
    missed = meant.Taste == "keine"
    assert answers.exclusions.to_numpy().tolist() == [["no answer", missed.sum()]]
    assert answers.table.level.tolist() == meant.Abstand.tolist()
    assert answers.table.evidence_lpips.to_numpy() == pytest.approx(meant.lpips, rel=1e-12)
    right = (meant.Taste == meant.Ungerade)[~missed]
    counts = answers.counts(by=["Vp", "Bild"])
    assert counts.n_correct.sum() == right.sum()
    assert counts.n_trials.sum() == (~missed).sum()
    assert len(counts) == 12
    assert link_of(answers.task).guess == pytest.approx(1 / 3)


@pytest.fixture
def preferences(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """Which of two is more like the original: no answer is right, and models give signed scores."""
    rng = np.random.default_rng(2)
    n = 200
    rows = pd.DataFrame(
        {
            "worker_id": rng.choice(["A1X", "B7Q", "C0M"], n),
            "ref": rng.choice(["img_1.png", "img_2.png"], n),
            "score_net": rng.normal(size=n),  # positive: the right one is more like it
            "mse_left": rng.random(n),
            "mse_right": rng.random(n),
        }
    )
    rows["judgement"] = np.where(rng.normal(size=n) < rows.score_net, "R", "L")
    rows.loc[:4, "judgement"] = "n/a"
    rows.to_csv(tmp_path / "twoafc.tsv", sep="\t", index=False)
    return tmp_path / "twoafc.tsv", rows


def test_signed_scores_for_two_alternatives(preferences: tuple[Path, pd.DataFrame]) -> None:
    path, meant = preferences
    net = {"R": "score_net"}
    mse = {"L": "mse_left", "R": "mse_right", "prefers": "lower"}
    roles = {"participant": "worker_id", "image": "ref", "response": "judgement"}
    answers = read_trials(
        path,
        {**roles, "answers": {"L": "left", "R": "right"}, "evidence": {"net": net, "mse": mse}},
        task="pair-with-reference",
    )
    kept = answers.kept
    assert len(kept) == 195
    side = np.where(answers.table.answer == "left", 1.0, -1.0)  # that is counted, pair by pair
    assert 0.3 < (side > 0).mean() < 0.7
    left = np.where(meant.judgement == "L", 1.0, -1.0)
    assert kept.n_correct.tolist() == (side * left > 0)[5:].astype(float).tolist()
    assert answers.table.evidence_net.to_numpy() == pytest.approx(-side * meant.score_net)
    said = side * (meant.mse_right - meant.mse_left)
    assert answers.table.evidence_mse.to_numpy() == pytest.approx(said)
    agrees = (kept.evidence_net > 0) == (kept.n_correct == 1)
    assert agrees.mean() > 0.7


@pytest.fixture
def conditions(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """2AFC over two condition columns: words for right and wrong, times in milliseconds, a row number."""
    rng = np.random.default_rng(3)
    rows = pd.MultiIndex.from_product(
        [["s1", "s2"], ["fovea", "periphery"], ["upright", "inverted"], [2, 4, 8], range(6)],
        names=["Subject", "Eccentricity", "Orientation", "Coherence (%)", "rep"],
    ).to_frame(index=False)
    rows["Accuracy"] = rng.choice(["correct", "incorrect"], len(rows), p=[0.8, 0.2])
    rows["RT (ms)"] = rng.uniform(150, 2500, len(rows)).round()
    rows.loc[7, ["Accuracy", "RT (ms)"]] = [None, None]
    rows.to_csv(tmp_path / "exp1 final.csv")
    return tmp_path / "exp1 final.csv", rows


def test_two_alternatives_over_two_condition_columns(
    conditions: tuple[Path, pd.DataFrame],
) -> None:
    path, meant = conditions
    roles = {"participant": "Subject", "level": "Coherence (%)", "correct": "Accuracy"}
    answers = read_trials(path, {**roles, "rt_ms": "RT (ms)"}, task="2afc").exclude_rt(0.2, 2.0)
    assert answers.conditions == ("Eccentricity", "Orientation", "rep")
    keep = meant["RT (ms)"].between(200, 2000)
    by = ["Subject", "Eccentricity", "Orientation", "Coherence (%)"]
    expected = meant[keep].assign(right=meant.Accuracy == "correct").groupby(by, sort=True).right
    counts = answers.counts(by=by)
    assert counts.n_trials.tolist() == expected.size().tolist()
    assert counts.n_correct.tolist() == expected.sum().tolist()
    assert counts[by].to_numpy().tolist() == [list(key) for key in expected.groups]
    assert sum(1 for _ in answers.groups(["Eccentricity", "Orientation"])) == 4


#: What each of the three people types, beside ``from analysis import *`` and the plots.
ODDITY = """
roles = {"participant": "Vp", "image": "Bild", "answer": "Ungerade", "response": "Taste"}
words = {"erstes": "1", "zweites": "2", "drittes": "3"}
answers = read_trials("oddity.csv", {**roles, "answers": words}, task="oddity")
found = dprimes(answers, by="Modell")
table = found.table
figure = plot_dprime(found)
"""
PREFERENCES = """
evidence = {"net": {"R": "score_net"}, "mse": {"L": "mse_left", "R": "mse_right", "prefers": "lower"}}
roles = {"participant": "worker_id", "image": "ref", "response": "judgement", "evidence": evidence}
roles["answers"] = {"L": "left", "R": "right"}
ranking = rank(read_trials("twoafc.tsv", roles, task="pair-with-reference"), n_draws=200)
table = ranking.table
figure = plot_ranking(ranking)
"""
CONDITIONS = """
roles = {"participant": "Subject", "level": "Coherence (%)", "correct": "Accuracy"}
answers = read_trials("exp1 final.csv", roles, task="2afc")
fits = fit(answers, by=["Eccentricity", "Orientation"])
table = fits.table
figure = plot_thresholds(fits)
"""


def typed(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[pd.DataFrame, Any]:
    """Return the table and the figure of at most six lines that are run in a folder."""
    assert len(code.strip().splitlines()) <= 6
    assert "rename" not in code
    monkeypatch.chdir(folder)
    known: dict[str, Any] = {}
    exec("from analysis import *\nfrom analysis.plots import *\n" + code, known)
    png = known["figure"]._repr_png_()[0]
    assert base64.b64encode(png).startswith(b"iVBOR")
    return known["table"], known["figure"]


def labels(axes: Any) -> list[str]:
    return [tick.get_text() for tick in axes.get_yticklabels()]


def test_oddity_becomes_dprimes_by_model_with_errors(
    oddity: tuple[Path, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, meant = oddity
    table, axes = typed(ODDITY, path.parent, monkeypatch)
    answered = meant[meant.Taste != "keine"]
    right = (answered.Taste == answered.Ungerade).groupby(answered.Modell).sum()
    assert table.Modell.tolist() == labels(axes) == ["netz", "textur"]
    assert table.n_correct.tolist() == right.tolist()
    assert (table.low < table.dprime).all()
    assert (table.dprime < table.high).all()
    assert set(table.for_whom) == {"new people and new images"}
    p = link_of(task_named("oddity")).p_correct(table.dprime.to_numpy())
    own = (answered.Taste == answered.Ungerade).groupby([answered.Modell, answered.Vp]).mean()
    assert p == pytest.approx(own.groupby("Modell").mean().to_numpy(), abs=1e-9)


def test_signed_scores_become_a_ranking(
    preferences: tuple[Path, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    table, axes = typed(PREFERENCES, preferences[0].parent, monkeypatch)
    assert table.label.tolist()[0] == "net"  # the judgements follow it
    assert labels(axes)[:2] == ["net", "mse"]


def test_two_condition_columns_become_thresholds(
    conditions: tuple[Path, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    table, axes = typed(CONDITIONS, conditions[0].parent, monkeypatch)
    expected = [[e, o] for e in ("fovea", "periphery") for o in ("inverted", "upright")]
    assert table[["Eccentricity", "Orientation"]].to_numpy().tolist() == expected
    assert labels(axes) == [", ".join(key) for key in expected]
    assert {"threshold", "low", "high", "status"} <= set(table.columns)
