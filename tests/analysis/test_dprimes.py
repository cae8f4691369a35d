"""d' of groups of answers: each as if it were alone, in any mixture of tasks, rules and columns."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from analysis import dprime_from_counts, dprime_from_hits, dprimes, population_dprime, read_trials
from analysis.fits.scaling.fitting import fit_critical_scaling
from analysis.observers.links import link_of
from analysis.plots import plot_dprime, plot_thresholds
from stimuli_store.errors import InputError
from stimuli_store.tasks import task_named

ROLES = {"participant": "who", "n_correct": "right", "n_trials": "n"}


def table(task: object = "2ifc") -> pd.DataFrame:
    rows = [
        ("a", "near", 1.0, 14),
        ("a", "far", 2.0, 20),
        ("b", "near", 1.0, 2),
        ("b", "far", 2.0, 17),
    ]
    frame = pd.DataFrame(rows, columns=["who", "place", "size", "right"])
    return frame.assign(n=20, task=task)


def plain() -> pd.DataFrame:
    return table().drop(columns="task")


def yes_no() -> pd.DataFrame:
    """Hits and false alarms: ann 69 of 100 and 31 of 100, ben 90 of 100 and 40 of 80."""
    cells = [
        ("ann", "yes", 69, 100),
        ("ann", "no", 69, 100),
        ("ben", "yes", 90, 100),
        ("ben", "no", 40, 80),
    ]
    frame = pd.DataFrame(cells, columns=["who", "truth", "right", "n"])
    rows = frame.loc[frame.index.repeat(frame.n)]
    right = rows.groupby(level=0).cumcount() < rows.right
    other = rows.truth.map({"yes": "no", "no": "yes"})
    return rows.assign(said=rows.truth.where(right, other))[["who", "truth", "said"]]


TRIALS = {"participant": "who", "answer": "truth", "response": "said"}


@pytest.mark.parametrize("task", ["2ifc", "oddity", "abx"])
def test_each_group_is_as_if_alone(task: str) -> None:
    found = dprimes(read_trials(table(), ROLES, task=task), by=["place", "who"])
    assert found.keys == (("far", "a"), ("far", "b"), ("near", "a"), ("near", "b"))
    alone = [dprime_from_counts(k, 20, task) for k in (20, 17, 14, 2)]
    assert list(found) == alone
    shown = found.table
    assert shown.columns.tolist()[:5] == ["place", "who", "dprime", "low", "high"]
    assert shown.n_correct.tolist() == [20, 17, 14, 2]
    assert shown.status.tolist()[0] == "unbounded"
    assert found["far", "b"] == alone[1]


def test_of_2ifc_by_hand() -> None:
    found = dprimes(read_trials(table(), ROLES, task="2ifc"), by="who")
    assert found["a"].estimate == pytest.approx(np.sqrt(2) * ndtri(34 / 40), rel=1e-9)
    assert repr(found) == "DPrimes(2 groups by who)"
    assert "<td>1.47</td>" in found._repr_html_()


def test_hits_and_false_alarms_stay_apart_in_a_task_with_a_criterion() -> None:
    found = dprimes(read_trials(yes_no(), TRIALS, task="yes-no"), by="who")
    assert list(found) == [
        dprime_from_hits(69, 100, 31, 100, "yes-no"),
        dprime_from_hits(90, 100, 40, 80, "yes-no"),
    ]
    assert found["ben"].estimate == pytest.approx(ndtri(0.9) - ndtri(0.5), rel=1e-6)
    counts = found.table[["hits", "signal_trials", "false_alarms", "noise_trials"]]
    assert counts.to_numpy().tolist() == [[69, 100, 31, 100], [90, 100, 40, 80]]


def test_tasks_and_rules_may_differ_between_groups() -> None:
    mixed = table(["2ifc", "abx", "2ifc", "oddity"])
    found = dprimes(read_trials(mixed, {**ROLES, "task": "task"}), by=["task"])
    assert found["abx"] == dprime_from_counts(20, 20, "abx")
    assert found["2ifc"] == dprime_from_counts(16, 40, "2ifc")
    assert found["oddity"] == dprime_from_counts(17, 20, "oddity")
    other = dprimes(read_trials(table(), ROLES, task="oddity"), rule="likelihood")
    assert other[()] == dprime_from_counts(53, 80, "oddity", "likelihood")


def crossed(n_people: int, images: tuple[str, ...], right: int = 0) -> pd.DataFrame:
    """Ten trials of everybody with every image; people differ, or all have the same number right."""
    rng = np.random.default_rng(7)
    rows = [
        (f"p{i}", image, right or int(rng.integers(3 + i, 9)))
        for i in range(n_people)
        for image in images
    ]
    return pd.DataFrame(rows, columns=["who", "photo", "right"]).assign(n=10)


CROSSED = {**ROLES, "image": "photo"}


@pytest.mark.parametrize(
    ("n_people", "images", "said"),
    [
        (5, ("x", "y", "z"), "new people and new images"),
        (5, ("x", "y"), "new people and these images"),
        (2, ("x", "y", "z"), "these people and these images only"),
    ],
)
def test_the_interval_says_for_whom_it_speaks(
    n_people: int, images: tuple[str, ...], said: str
) -> None:
    rows = crossed(n_people, images)
    found = dprimes(read_trials(rows, CROSSED, task="oddity"))
    assert found.table.for_whom.tolist() == [said]
    alone = dprime_from_counts(int(rows.right.sum()), int(rows.n.sum()), "oddity")
    assert found[()].estimate == pytest.approx(alone.estimate, abs=1e-12)  # a balanced design
    if n_people == 2:
        assert found[()] == alone
    else:
        new = population_dprime(rows.who, rows.photo, rows.right, rows.n, task="oddity")
        assert (found[()].low, found[()].high) == (new.low, new.high)


def test_people_who_are_all_right_say_nothing_of_others() -> None:
    found = dprimes(read_trials(crossed(4, ("x", "y", "z"), right=10), CROSSED, task="oddity"))
    assert found[()] == dprime_from_counts(120, 120, "oddity")
    assert found.for_whom == ("these people and these images only",)


def test_rows_that_are_left_out_do_not_count() -> None:
    answers = read_trials(table(), ROLES, task="2ifc").exclude_participants("b")
    assert dprimes(answers, by="size")[1.0] == dprime_from_counts(14, 20, "2ifc")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: dprimes(read_trials(plain(), ROLES)), "no task is stated"),
        (lambda: dprimes(read_trials(table(), ROLES, task="2ifc"), by="plase"), "did you mean"),
        (lambda: dprimes(read_trials(plain(), ROLES, task="yes-no")), "roles answer and response"),
        (
            lambda: dprimes(read_trials(yes_no(), TRIALS, task="yes-no"), by=["who", "answer"]),
            "of ann, no are all to trials without a difference",
        ),
        (
            lambda: dprimes(read_trials(table().assign(task=["2ifc", "abx"] * 2), {**ROLES, "task": "task"})),
            "of several tasks",
        ),
        (
            lambda: dprimes(read_trials(table(), ROLES, task="2ifc").exclude("x", np.ones(4, bool))),
            "no answer is left",
        ),
        (lambda: dprimes(read_trials(table(), ROLES, task="2ifc"), by="who")["c"], "no group is called"),
    ],
)  # fmt: skip
def test_what_has_no_dprime_says_so(call, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        call()


def test_groups_are_plotted_as_rows_and_levels_along_an_axis() -> None:
    answers = read_trials(table(), ROLES, task="2ifc", unit="px")
    rows = plot_dprime(dprimes(answers, by=["who", "place"]))
    names = [tick.get_text() for tick in rows.get_yticklabels()]
    assert names == ["a, far", "a, near", "b, far", "b, near"]
    assert rows.texts[0].get_text().endswith("∞)")
    levelled = read_trials(table(), {**ROLES, "level": "size"}, task="2ifc", unit="px")
    levels = plot_dprime(dprimes(levelled, by="level"))
    assert levels.get_xlabel() == "size (pixels)"
    scaling = fit_critical_scaling([8, 16, 32, 64], [25, 27, 42, 48], [50] * 4, task="2ifc")
    with pytest.raises(InputError, match="not levels"):
        plot_dprime(dprimes(answers, by="who"), scaling=scaling)


def test_thresholds_of_groups_are_named_by_their_keys() -> None:
    from analysis import fit

    rows = [
        (c, x, k)
        for c in ("near", "far")
        for x, k in zip((1, 2, 4, 8), (22, 27, 36, 39), strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["place", "size", "right"]).assign(n=40)
    roles = {"level": "size", "n_correct": "right", "n_trials": "n"}
    fits = fit(read_trials(frame, roles, task="2afc", unit="px"), by=["place"])
    ax = plot_thresholds(fits, true={"far": 2.0})
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["far", "near"]
    assert ax.get_xlabel() == "threshold, size (pixels)"
    alone = plot_thresholds({"far": fits["far"], "near": fits["near"]}, true={"far": 2.0})
    assert alone.get_xlim() == ax.get_xlim()


@pytest.mark.long
def test_new_people_and_images_have_the_dprime_that_the_interval_holds() -> None:
    """Ten people, eight images, ln d' with SD .2 and .3; intervals of counts hold the truth in 63 of 100."""
    link, rng = link_of(task_named("oddity")), np.random.default_rng(0)
    many = np.exp(rng.normal(0, 0.2, 800))[:, None] * np.exp(rng.normal(0, 0.3, 800))
    true = float(link.dprime(np.array(link.p_correct(2 * many).mean())))
    held = np.zeros(2)
    person, image = (index.ravel().astype(str) for index in np.indices((10, 8)))
    for _ in range(80):
        own = 2 * np.exp(rng.normal(0, 0.2, 10))[:, None] * np.exp(rng.normal(0, 0.3, 8))
        right = rng.binomial(6, link.p_correct(own)).ravel()
        rows = pd.DataFrame(
            {"participant": person, "image": image, "n_correct": right, "n_trials": 6}
        )
        found = dprimes(read_trials(rows, task="oddity"))[()]
        alone = dprime_from_counts(int(right.sum()), 480, "oddity")
        held += [one.low <= true <= one.high for one in (found, alone)]
    assert held[0] >= 70  # 76 expected; 70 or more in 998 of 1,000 runs
    assert held[1] <= 66


def test_a_task_with_a_criterion_says_why_nothing_is_said_about_others() -> None:
    rows = [
        (who, answer, said)
        for who in "abcd"
        for answer, said in [("yes", "yes")] * 8 + [("yes", "no")] * 2 + [("no", "no")] * 7
    ] + [(who, "no", "yes") for who in "abcd"]
    table = pd.DataFrame(rows, columns=["participant", "answer", "response"])
    (said,) = dprimes(read_trials(table, task="yes-no")).for_whom
    assert said.startswith("these people") and "criterion of their own" in said
    (alone,) = dprimes(read_trials(table[table.participant == "a"], task="yes-no")).for_whom
    assert alone == "these people only"
    with pytest.raises(InputError, match="column 'bias'"):
        dprimes(read_trials(table.assign(bias=1), task="yes-no"), by="bias")
