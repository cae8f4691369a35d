"""Headlines: what is said of answers, the same in the terminal, on the page and in the JSON file."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import read_trials
from analysis.cli.analyse import summary_lines
from analysis.data.answers import Answers
from analysis.fits.fit_status import FitStatus
from analysis.fits.population import population_dprime, population_threshold
from analysis.report.headlines import answers_line, sorts_line, statements_of
from analysis.report.page.whole import report_page
from analysis.report.results import Results, analyse
from analysis.report.summary import summary_of

LEVELS = [1, 2, 4, 8, 16]


@dataclass(frozen=True, kw_only=True)
class Said:
    """Right answers of 40 at five levels of a forced choice, and what must be said of them."""

    right: list[int]
    value: str
    notes: tuple[str, ...]


SAID = {
    "a threshold": Said(
        right=[20, 22, 31, 38, 40],
        value="3.",
        notes=("95 % interval", " px, for this participant"),
    ),
    "falling": Said(
        right=[40, 38, 31, 22, 20],
        value="",
        notes=("proportion correct falls as the level grows, and so does the curve",),
    ),
    "keys swapped": Said(
        right=[20, 18, 9, 2, 0], value="not determined", notes=("are the keys", "swapped?")
    ),
    "never right": Said(
        right=[0, 0, 0, 0, 0], value="not determined", notes=("are the keys", "swapped?")
    ),
    "always right": Said(right=[40] * 5, value="not determined", notes=(FitStatus.EXCEEDED.value,)),
    "chance": Said(
        right=[20, 21, 19, 20, 20], value="not determined", notes=("there is no threshold",)
    ),
    "beyond the levels": Said(
        right=[20, 21, 23, 26, 28], value="", notes=(FitStatus.EXTRAPOLATED.value,)
    ),
    "no curve": Said(
        right=[20, 34, 22, 38, 40],
        value="not determined",
        notes=("the curve does not describe the answers (goodness of fit, p ≤ 0.0025",),
    ),
}


def counted(right: list[int]) -> Answers:
    rows = [[level, k, 40] for level, k in zip(LEVELS, right, strict=True)]
    return read_trials(rows, task="2ifc", unit="px")


def everywhere(results: Results, answers: Answers) -> tuple[str, str, dict[str, Any]]:
    """The terminal's lines, the page's text, and the JSON file's headline."""
    page = html.unescape(report_page(results, answers, bank=None, sessions=()))
    return "\n".join(summary_lines(results)), page, summary_of(results, answers)["headline"]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", SAID)
def test_what_is_said_of_a_fit_is_said_everywhere(name: str) -> None:
    expected, answers = SAID[name], counted(SAID[name].right)
    results = analyse(answers)
    (first, *_) = statements_of(results)
    notes = " | ".join(note.text for note in first.notes)
    assert first.value.startswith(expected.value)
    assert [phrase for phrase in expected.notes if phrase not in notes] == []
    terminal, page, written = everywhere(results, answers)
    for phrase in (first.value, *(note.text for note in first.notes)):
        assert phrase in terminal
        assert phrase in page
    assert written["statements"][0]["value"] == first.value
    if expected.value == "not determined":
        assert (results.threshold, results.interval) == (None, None)
        assert "95 % interval" not in notes
    for text in (terminal, re.sub("<[^>]*>", " ", page)):
        assert not re.search(r"\b(inf|nan|None)\b", text)


def test_a_misfit_is_alarming_and_a_fit_is_not() -> None:
    for name, alarming in (("no curve", True), ("a threshold", False)):
        (first, *_) = statements_of(analyse(counted(SAID[name].right)))
        assert any(note.alarming for note in first.notes) == alarming


def trials(**columns: Any) -> pd.DataFrame:
    """240 trials at three levels, one in five wrong, with further columns."""
    n = 240
    frame = pd.DataFrame({"level": np.resize([1.0, 2.0, 4.0], n)})
    frame["correct"] = (np.arange(n) % 5 > 0).astype(int)
    return frame.assign(**{k: np.resize(v, n) for k, v in columns.items()})


SIZES: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "one of each": ({"image": ["a"]}, 1, "1 trial of 1 participant and 1 image", ""),
    "several": (
        {"participant": ["x", "y"], "image": ["a", "b", "c"]},
        240,
        "240 trials of 2 participants and 3 images",
        "",
    ),
    "simulated": (
        {"participant": ["x", "y"], "simulated": [1]},
        240,
        "240 trials of 2 participants",
        "all answers are simulated (2 sessions)",
    ),
    "both": (
        {"participant": ["x", "y", "z"], "simulated": [0, 0, 1]},
        240,
        "240 trials of 3 participants",
        "2 sessions of people (160 trials) and 1 simulated session (80 trials) are analysed apart",
    ),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_said_in_singular_and_plural(name: str) -> None:
    columns, n, sizes, sorts = SIZES[name]
    results = analyse(read_trials(trials(**columns).head(n), task="2ifc"))
    assert answers_line(results) == f"{sizes}, task 2ifc, rule likelihood, guess rate 0.5"
    assert sorts_line(results).startswith(sorts)
    assert bool(sorts_line(results)) == bool(sorts)


WHOM = {
    (1, 0): "this participant",
    (1, 1): "this participant and this image",
    (1, 2): "this participant and these images",
    (2, 2): "these people and these images",
}


@pytest.mark.parametrize("counts", WHOM, ids=str)
def test_for_whom_an_interval_of_few_speaks(counts: tuple[int, int]) -> None:
    people, images = counts
    columns = {"participant": list("pq")[:people], "image": np.repeat(list("ab")[:images], 60)}
    frame = trials(**{k: v for k, v in columns.items() if len(v)})
    frame["correct"] = (np.arange(len(frame)) % 10 < frame.level + 4.5).astype(int)
    (first, *_) = statements_of(analyse(read_trials(frame, task="2ifc")))
    assert any(note.text.endswith(f"for {WHOM[counts]}") for note in first.notes)


POPULATIONS = {
    (6, 0): ("new people", ""),
    (6, 2): ("new people and these images", "nothing is said about other images: there are only 2"),
    (6, 4): ("new people and new images", ""),
    (2, 4): ("these people and new images", "nothing is said about other people: there are only 2"),
}


def crossed(people: int, images: int) -> pd.DataFrame:
    """Trials of several people, crossed with several images, whose thresholds differ."""
    rng = np.random.default_rng(people)
    axes = [range(people), range(max(images, 1)), [1.0, 2.0, 4.0, 8.0], range(12)]
    rows = pd.MultiIndex.from_product(axes, names=["participant", "image", "level", "n"])
    frame = rows.to_frame(index=False).drop(columns="n")
    away = 0.3 * rng.normal(size=people)[frame.participant]
    p = 0.5 + 0.5 / (1 + np.exp(-2 * (np.log2(frame.level) - 1.5 - away)))
    frame["correct"] = (rng.random(len(frame)) < p).astype(int)
    return frame if images else frame.drop(columns="image")


@pytest.mark.long
@pytest.mark.parametrize("counts", POPULATIONS, ids=str)
def test_the_headline_is_the_threshold_of_a_population(counts: tuple[int, int]) -> None:
    whom, caution = POPULATIONS[counts]
    frame = crossed(*counts)
    answers = read_trials(frame, task="2ifc")
    results = analyse(answers)
    image = frame.image if counts[1] else None
    cells = (frame.participant, image, frame.level, frame.correct, np.ones(len(frame)))
    found = population_threshold(*cells)
    assert results.interval == pytest.approx((found.low, found.high))
    assert found.high - found.low > results.headline.fit.high - results.headline.fit.low
    (first, *_) = statements_of(results)
    assert any(note.text.endswith(f"for {whom}") for note in first.notes)
    assert any(note.text.startswith(caution) for note in first.notes if caution) == bool(caution)
    written = summary_of(results, answers)
    assert written["for_whom"] == whom
    assert written["conditions"][0]["interval_of_the_curve"] == [
        results.headline.fit.low,
        results.headline.fit.high,
    ]


def test_the_population_is_bounded_where_these_people_are() -> None:
    rng = np.random.default_rng(3)
    frame = crossed(6, 4)
    p = 0.5 + 0.2 * -np.expm1(-(frame.level**2))
    results = analyse(read_trials(frame.assign(correct=rng.binomial(1, p)), task="2ifc"))
    assert results.headline.fit.high == np.inf
    assert results.interval is None or results.interval[1] == np.inf


@pytest.mark.long
def test_falling_answers_have_a_headline_for_new_people() -> None:
    frame = crossed(6, 4)
    rises, falls = (
        analyse(read_trials(frame.assign(level=level), task="2ifc"))
        for level in (frame.level, 8 / frame.level)
    )
    assert not falls.headline.fit.rising
    assert falls.headline.for_whom == "new people and new images"
    low, high = falls.interval
    assert low < falls.headline.fit.low < falls.headline.fit.high < high
    assert low < 8 / rises.headline.fit.threshold < high


def test_the_dprime_of_a_level_is_that_of_a_population() -> None:
    frame = crossed(6, 4).query("level == 4")
    (first, *_) = statements_of(analyse(read_trials(frame, task="2ifc")))
    found = population_dprime(
        frame.participant, frame.image, frame.correct, np.ones(len(frame)), task="2ifc"
    )
    assert first.value == f"{found.value:.2f}"
    said = f"95 % interval {found.low:.2f} to {found.high:.2f}, for new people and new images"
    assert said in [note.text for note in first.notes]


SWAPPED: dict[str, Callable[[pd.DataFrame], tuple[pd.DataFrame, str]]] = {
    "a range of levels": lambda t: (t, "2ifc"),
    "one level": lambda t: (t.assign(level=1.0), "oddity"),
    "no level": lambda t: (t.drop(columns="level"), "abx"),
    "a criterion": lambda t: (
        t.assign(
            answer=np.resize(["yes", "no"], len(t)), response=np.resize(["no", "yes"], len(t))
        ),
        "yes-no",
    ),
}


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", SWAPPED)
def test_swapped_keys_are_asked_about(name: str) -> None:
    frame, task = SWAPPED[name](trials().assign(correct=0))
    answers = read_trials(frame.drop(columns="correct") if "answer" in frame else frame, task=task)
    for told in everywhere(analyse(answers), answers):
        assert "swapped" in str(told)


def judged(people: int, images: int, n: int) -> Answers:
    """Answers to pairs of images with the evidence of two models."""
    frame = trials(participant=list("pqr")[:people], image=np.repeat(list("abc")[:images], 3)).head(
        n
    )
    distances = {"near": frame.level * 0.5, "far": np.resize([0.2, 1.0, 0.7], n)}
    evidence = {model: f"evidence_{model}" for model in distances}
    columns = {evidence[model]: values for model, values in distances.items()}
    return read_trials(frame.assign(**columns), {"evidence": evidence}, task="abx")


@pytest.mark.parametrize(
    ("people", "images", "n", "held_out"), [(1, 1, 1, False), (3, 3, 240, True)]
)
def test_held_out_is_said_where_something_was_held_out(
    people: int, images: int, n: int, held_out: bool
) -> None:
    answers = judged(people, images, n)
    results = analyse(answers)
    terminal = "\n".join(summary_lines(results))
    assert ("held-out" in terminal) == held_out
    assert ("nothing could be held out" in terminal) == (not held_out)
    assert summary_of(results, answers)["held_out"] == held_out


@pytest.mark.long
def test_models_that_are_not_told_apart_are_named_together() -> None:
    found = [s for s in statements_of(analyse(judged(3, 3, 240))) if s.short.endswith("models")]
    (ranking,) = found
    assert ranking.value in ("near and far, not told apart", "far and near, not told apart")


@pytest.mark.usefixtures("undrawn")
def test_baselines_that_no_model_beats_are_in_the_headline() -> None:
    """The models' distances grow by the level at most, so means of the levels say as much."""
    answers = judged(2, 2, 60)
    results = analyse(answers)
    terminal, page, written = everywhere(results, answers)
    said = "no model has more bits than the baseline"
    (ranking,) = (s for s in written["statements"] if s["short"].endswith("models"))
    assert ranking["notes"][0]["text"].startswith(said)
    assert "condition means" in ranking["notes"][0]["text"]
    assert terminal.count(said) == 1
    assert page.count(said) == 2  # in its headline, and in the section on models


@pytest.mark.parametrize(
    ("shifts", "said"),
    [
        ([0, 0], "not shown to differ: p = "),
        ([0, 4], "differ: p < 0.001"),
        ([0, 0, 0], "not shown to differ: p = 1, corrected for the number of pairs"),
    ],
)
def test_a_contrast_is_never_said_to_be_equal(shifts: list[int], said: str) -> None:
    """Cells with equal counts do not differ; those of a level four times as far do, for any test."""
    right = [100, 104, 130, 171, 193, 198, 199, 200, 200]
    rows = [
        (f"c{place}", 2.0 ** (i + shift), k, 200)
        for place, shift in enumerate(shifts)
        for i, k in enumerate(right)
    ]
    names = ["place", "level", "n_correct", "n_trials"]
    results = analyse(read_trials(pd.DataFrame(rows, columns=names), task="2ifc"), by=["place"])
    notes = [
        note.text
        for found in statements_of(results)
        for note in found.notes
        if found.label == "Ratio of thresholds"
    ]
    assert any(note.startswith(said) for note in notes)
    assert ("corrected" in " ".join(notes)) == (len(shifts) > 2)
    assert not any("equal" in note for note in notes)


@pytest.mark.long
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("shared", "for_whom", "why"),
    [
        (0, "these people only", "nobody answered in two conditions"),
        (2, "these people only", "fewer than 3 have a bounded threshold in both conditions"),
        (4, "new people", ""),
    ],
)
def test_why_a_contrast_says_nothing_about_other_people(
    shared: int, for_whom: str, why: str
) -> None:
    """Four people in either group, some of them in both."""
    rows = [
        (
            f"p{person}" if person < shared else f"{group}{person}",
            group,
            2.0**i,
            k - person * (i == 2),
            40,
        )
        for group, right in (("a", [21, 24, 33, 38, 40]), ("b", [20, 22, 27, 35, 39]))
        for person in range(4)
        for i, k in enumerate(right)
    ]
    names = ["participant", "group", "level", "n_correct", "n_trials"]
    answers = read_trials(pd.DataFrame(rows, columns=names), task="2ifc")
    results = analyse(answers, by=["group"])
    assert results.contrasts is not None
    assert results.contrasts.rows[0].for_whom == for_whom
    assert results.contrasts.caution.startswith("nothing is said about other people") == bool(why)
    for text in everywhere(results, answers)[:2]:
        assert ("nothing is said about other people: " + why in text) == bool(why)


def test_a_condition_prints_in_a_line() -> None:
    shown = repr(analyse(counted(SAID["a threshold"].right)).headline)
    assert len(shown) < 200 and "\n" not in shown
    assert "200 trials at 5 levels" in shown
    assert "for this participant" in shown
