"""From a table of answers to a ranking: tables of other laboratories, files, words, and refusals."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import Ranking, rank, rank_by_rule, read_trials
from analysis.data.answers import Answers
from analysis.data.cell_counts import cells_of
from analysis.infer.jackknife import WEIGHINGS
from analysis.observers.sdt import p_correct
from analysis.ranking.rank import rank_models
from analysis.ranking.tables import pair_table
from stimuli_store.errors import InputError
from tests.analysis.studies import lognormal, study


def oddity_table(seed: int = 0) -> pd.DataFrame:
    """Three-interval oddity as another laboratory writes it: crossed images, words, missing responses."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(range(8), range(10), range(3), range(6), indexing="ij"), -1)
    subject, image, scale, _ = grid.reshape(-1, 4).T
    far = (1 + scale) * np.exp(rng.normal(0, 0.5, 10))[image]
    p = p_correct(1.5 * far, "oddity", "differencing")
    odd = rng.integers(1, 4, len(p))
    wrong = (odd + rng.integers(0, 2, len(p))) % 3 + 1
    said = np.where(rng.random(len(p)) < p, odd, wrong).astype(str).astype(object)
    said[rng.random(len(p)) < 0.02] = None
    return pd.DataFrame(
        {
            "subj": np.char.add("s", subject.astype(str)),
            "photo": np.char.add("im", image.astype(str)),
            "scale": scale + 1,
            "odd_at": odd,
            "key": said,
            "lpips": far,
            "mse": np.exp(rng.normal(0, 0.5, (10, 3)))[image, scale],
        }
    )


ROLES = {
    "participant": "subj",
    "image": "photo",
    "level": "scale",
    "answer": "odd_at",
    "response": "key",
    "evidence": {"LPIPS": "lpips", "MSE": "mse"},
}


@pytest.fixture(scope="module")
def answers() -> Answers:
    return read_trials(oddity_table(), ROLES, task="oddity", rule="differencing")


@pytest.fixture(scope="module")
def ranking(answers: Answers) -> Ranking:
    return rank(answers, n_draws=200)


def test_a_strangers_table_is_ranked_in_three_lines(tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    oddity_table().to_csv(path, index=False)
    answers = read_trials(path, ROLES, task="oddity", rule="differencing")
    ranking = rank(answers, n_draws=100)
    assert ranking.best == ("LPIPS",)
    assert ranking.n_trials == len(answers.kept) < len(answers)


def test_signed_scores_of_two_alternatives_are_ranked() -> None:
    """Which of two is nearer: each model has a score for either, and nobody says which is right."""
    rng = np.random.default_rng(0)
    score = rng.normal(0, 1, (2, 40))
    pair = np.tile(np.arange(40), 12)
    gap = 1.5 * (score[0] - score[1])[pair]
    says = np.where(rng.random(480) < p_correct(gap, "2ifc"), "first", "second")
    table = pd.DataFrame({"who": np.repeat(range(12), 40), "im": pair // 5, "says": says})
    table = table.assign(a=score[0][pair], b=score[1][pair], answer="first")
    for name in "ab":
        table[f"bad_{name}"] = -table[name]
    evidence = {"good": {"first": "a", "second": "b"}, "bad": {"first": "bad_a", "second": "bad_b"}}
    roles = {"participant": "who", "image": "im", "response": "says", "evidence": evidence}
    ranking = rank(read_trials(table, roles, task="2ifc"), n_draws=100)
    assert ranking.best == ("good",)
    assert ranking.rows[1].bits <= 0


def test_cells_count_every_answer_once(answers: Answers) -> None:
    cells, kept = cells_of(answers), answers.kept
    assert cells.n_trials.sum() == kept.n_trials.sum()
    assert cells.n_correct.sum() == kept.n_correct.sum()
    assert len(cells.n_trials) == 8 * 10 * 3
    assert len(np.unique(cells.pair)) == 10 * 3
    one = kept[(kept.participant == "s3") & (kept.image == "im2") & (kept.level == 2)]
    mine = (cells.participant == "s3") & (cells.image == "im2") & (cells.level == 2)
    assert cells.n_correct[mine].tolist() == [one.n_correct.sum()]
    assert cells.evidence["LPIPS"][mine].tolist() == [one.evidence_LPIPS.iloc[0]]


def test_conditions_are_columns_with_few_values_that_stand_for_no_image() -> None:
    table = oddity_table().assign(
        side=lambda t: np.where(np.arange(len(t)) % 2, "left", "right"),
        photographer=lambda t: (
            t.photo.str[2:].astype(int) // 2
        ),  # each image has one, several share one
        number=lambda t: np.arange(len(t)),
        file=lambda t: t.photo + ".png",
    )
    answers = read_trials(table, ROLES, task="oddity")
    assert set(np.unique(cells_of(answers).condition)) == {
        f"{side} {n}" for side in ("left", "right") for n in range(5)
    }
    assert set(np.unique(cells_of(answers, conditions=["side"]).condition)) == {"left", "right"}


def test_the_table_of_a_ranking_is_tidy(ranking: Ranking) -> None:
    table = ranking.table
    assert table.label.is_unique
    assert table.sort.tolist() == ["model"] * 2 + ["baseline"] * 4
    assert table.best.tolist() == [True] + [False] * 5
    assert (table.low <= table.bits).all()
    assert (table.bits <= table.high).all()
    assert table.set_index("label").of_upper["LPIPS"] <= 1.02
    pairs = pair_table(ranking)
    assert pairs.loc[0, ["first", "second", "told_apart"]].tolist() == ["LPIPS", "MSE", True]
    gap = ranking.rows[0].bits - ranking.rows[1].bits
    assert pairs.difference[0] == pytest.approx(gap)


def test_scores_by_image_and_participant_add_up(ranking: Ranking) -> None:
    for groups, n in ((ranking.by_image, 10), (ranking.by_participant, 8)):
        assert len(groups) == n
        trials = np.array([group.n_trials for group in groups])
        assert trials.sum() == ranking.n_trials
        for row in ranking.rows:
            bits = np.array([group.bits[row.label] for group in groups])
            assert bits @ trials / trials.sum() == pytest.approx(row.bits)


def test_words_and_pictures_of_a_ranking(ranking: Ranking) -> None:
    assert repr(ranking).startswith("<Ranking: LPIPS; ")
    assert repr(ranking).endswith(" answers, 8 participants, 10 images>")
    page = ranking._repr_html_()
    assert page.startswith("<p>Best model: LPIPS. Held out: ")
    assert page.count("<tr") == 7
    names = [check.name for check in ranking.diagnostics]
    assert names[-1] == "decision rule"
    assert "differencing" in ranking.diagnostics[-1].sentence


def test_a_ranking_is_saved_and_loaded(ranking: Ranking, tmp_path: Path) -> None:
    path = ranking.save(tmp_path / "ranking.json")
    assert Ranking.load(path) == ranking
    content = json.loads(path.read_text(encoding="utf-8"))
    assert (content["format"], content["version"]) == ("ranking", 1)


def test_infinite_intervals_are_null_in_files(answers: Answers, tmp_path: Path) -> None:
    alone = rank(answers.only(participant="s1", image="im1"), n_draws=10)
    assert alone.rows[0].high == np.inf
    assert alone.best == tuple(row.label for row in alone.rows)
    assert Ranking.load(alone.save(tmp_path / "alone.json")) == alone
    assert '"high": null' in (tmp_path / "alone.json").read_text(encoding="utf-8")


def test_nothing_is_called_held_out_where_nothing_was(answers: Answers) -> None:
    one = answers.only(participant="s1", image="im1", level=2)
    ranking = rank(one, models=["LPIPS"], n_draws=10)
    assert not ranking.held_out
    assert ranking.measure == "bits in sample per trial above chance"
    said = f"{ranking!r} {ranking.headline} {ranking.scheme} {ranking._repr_html_()}"
    assert "held-out" not in said
    assert ranking.verdict == "LPIPS, not told apart from chance"
    assert "1 participant, 1 image" in said


def test_each_rule_has_its_ranking(answers: Answers) -> None:
    both = rank_by_rule(answers, n_draws=20, baselines=False)
    assert list(both) == ["differencing", "likelihood"]
    alone = rank(answers, rule="likelihood", n_draws=20, baselines=False)
    assert both["likelihood"].rows == alone.rows
    assert both["differencing"].rows[0].fit != alone.rows[0].fit


def test_models_that_say_nothing_of_some_pairs_are_named_and_left_out() -> None:
    table = oddity_table()
    table.loc[table.photo == "im0", "mse"] = np.nan
    answers = read_trials(table, ROLES, task="oddity")
    ranking = rank(answers, n_draws=10)
    assert [row.label for row in ranking.rows] == ["LPIPS"]
    assert ranking.notes[0] == "MSE is not ranked, since it says nothing of some pairs"
    with pytest.raises(InputError, match="'MSE' has no distance for some pairs"):
        rank(answers, models=["MSE"])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"models": ["LPIP"]}, "did you mean 'LPIPS'"),
        ({"rule": "diferencing"}, "did you mean 'differencing'"),
        ({"conditions": ["scal"]}, "did you mean 'scale'"),
        ({"models": []}, "at least one trial and one model"),
        ({"n_draws": 0}, "n_draws must be a whole number of 1 or more"),
        ({"seed": -1}, "seed must be a whole number of 0 or more"),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(
    answers: Answers, how: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said) as error:
        rank(answers, **how)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_answers_without_a_task_or_with_a_baselines_name_are_refused(answers: Answers) -> None:
    with pytest.raises(InputError, match="no task is stated"):
        rank(replace(answers, tasks={}))
    cells = cells_of(answers)
    cells = replace(cells, evidence={"chance": cells.evidence["LPIPS"]})
    with pytest.raises(InputError, match="name 'chance', which is that of a baseline"):
        rank_models(cells)


@pytest.mark.parametrize("text", ["", "[]", '{"format": "ranking", "version": 2}', '{"a": 1}'])
def test_other_files_are_no_rankings(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(
        InputError, match=r"is (not a ranking that was saved|a ranking of version 2)"
    ):
        Ranking.load(path)
    with pytest.raises(InputError, match="a ranking cannot be read from"):
        Ranking.load(tmp_path / "none.json")


def test_participants_may_count_the_same_however_many_trials_they_answered() -> None:
    rng = np.random.default_rng(0)
    cells = study(rng, lognormal(rng, 24), {"m": lognormal(rng, 24)}, people=5)
    busy = cells.participant == "p0"
    uneven = replace(
        cells,
        n_correct=np.where(busy, 9 * cells.n_correct, cells.n_correct),
        n_trials=np.where(busy, 9 * cells.n_trials, cells.n_trials),
    )
    by_trial, by_person = (rank_models(uneven, n_draws=50, weigh=w) for w in WEIGHINGS[::-1])
    bits = np.array([one.bits["m"] for one in by_person.by_participant])
    size = np.array([one.n_trials for one in by_person.by_participant])
    assert by_person.rows[0].bits == pytest.approx(bits.mean())
    assert by_trial.rows[0].bits == pytest.approx((bits * size).sum() / size.sum())
    assert any("every participant counts the same" in note for note in by_person.notes)
    even = [rank_models(cells, n_draws=50, weigh=w).rows for w in WEIGHINGS]
    assert even[0][0].bits == pytest.approx(even[1][0].bits)
