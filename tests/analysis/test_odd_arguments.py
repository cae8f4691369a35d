"""Odd arguments of every public function: one sentence, or a result, but never an error of Python's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import analysis
import analysis.plots as plots
from analysis.planning.tests import above_chance, ranks_first, threshold_within
from experiments.session_plan import journal_path
from stimuli_store.errors import InputError, StimsynthError
from stimuli_store.tasks import task_named
from stimuli_store.tools import gates

NAN, INF = float("nan"), float("inf")
ODD = [None, 3, -1, 1.5, True, "x", "8", "", NAN, INF, 1e300, 10**30, b"x", object()]
ODD += [[], (), {}, ["a", 3], [NAN, "x"], {"a": 1}, {"lapse": 3}, analysis.NormalPrior]  # type: ignore[list-item]
SEVERAL = [
    np.array([]),
    np.ones(3),
    np.array(["a", "b"]),
    pd.Series([1, 2]),
    pd.DataFrame({"a": [1]}),
]

LEVELS, RIGHT, TOTAL = [8, 16, 32, 64], [26, 31, 41, 49], [50] * 4
PAIR = task_named("2ifc")
WHO, WHICH = list("aabbcc"), list("xyxyxy")


@dataclass(frozen=True, kw_only=True)
class Known:
    """Results that other functions take."""

    answers: analysis.Answers
    fit: analysis.Fit
    fits: analysis.Fits
    design: analysis.StudyDesign
    truth: analysis.ThresholdTruth


def _known() -> Known:
    rng = np.random.default_rng(0)
    rows = [
        (who, image, x, place, int(rng.binomial(40, p)))
        for who in "abc"
        for image in "xy"
        for x, p in zip(LEVELS, (0.55, 0.7, 0.85, 0.96), strict=True)
        for place in ("far", "near")
    ]
    table = pd.DataFrame(rows, columns=["participant", "image", "level", "place", "n_correct"])
    table = table.assign(n_trials=40, d=table.level)
    answers = analysis.read_trials(table, {"evidence": {"m": "d"}}, task=PAIR)
    return Known(
        answers=answers,
        fit=analysis.fit_psychometric(LEVELS, RIGHT, TOTAL, sigmoid="normal"),
        fits=analysis.fit(answers, by=["participant", "place"], sigmoid="normal"),
        design=analysis.StudyDesign(
            task=PAIR, levels=(4.0, 8.0), n_participants=2, n_images=1, n_trials=5
        ),
        truth=analysis.ThresholdTruth(threshold=6.0),
    )


K = _known()
COUNTS = {"levels": LEVELS, "n_correct": RIGHT, "n_trials": TOTAL}
ROWS = {"participant": WHO, "image": WHICH, "n_correct": [5, 6, 7, 8, 6, 7], "n_trials": [10] * 6}
SETTINGS = {
    "sigmoid": "normal",
    "guess": 0.5,
    "lapse": 0.02,
    "p": 0.75,
    "axis": "log",
    "rising": True,
    "dispersion": "none",
    "priors": None,
}
DRAWS = {"n_draws": 5, "seed": 0}
STUDIES = {"design": K.design, "truth": K.truth, "n_studies": 2, "seed": 0}
ASKED = {"task": "2ifc", "rule": None}

#: A function, and arguments that it takes; each of these is replaced by every odd value.
CALLS: list[tuple[Callable[..., Any], Mapping[str, Any]]] = [
    (analysis.fit_psychometric, {**COUNTS, **SETTINGS}),
    (analysis.fit_many, {"sets": [(LEVELS, RIGHT, TOTAL)], "sigmoid": "normal", "priors": None}),
    (analysis.fit_modes, {"levels": LEVELS, "n_correct": [RIGHT], "n_trials": TOTAL, "p": 0.75}),
    (
        analysis.grid_posteriors,
        {**COUNTS, "n_correct": [RIGHT], "bounds": None, "sigmoid": "normal"},
    ),
    (analysis.grid_posterior, {"fit": K.fit}),
    (analysis.parametric_bootstrap, {"fit": K.fit, **DRAWS}),
    (analysis.nonparametric_bootstrap, {"fit": K.fit, **DRAWS}),
    (analysis.goodness_of_fit, {"fit": K.fit, **DRAWS}),
    (analysis.residuals_by_order, {"fit": K.fit, **COUNTS, **DRAWS}),
    (analysis.fit, {"answers": K.answers, "by": "place", "sigmoid": "normal", "guess": 0.5}),
    (analysis.dprimes, {"answers": K.answers, "by": "place", "rule": None, "weigh": "trials"}),
    (analysis.compare_groups, {"answers": K.answers, "between": "place", "n_draws": 1}),
    (
        analysis.contrasts,
        {"fits": K.fits, "between": "place", "quantity": "threshold", "scale": None},
    ),
    (analysis.crossed_jackknife, {"statistic": lambda w: w.mean(axis=1), "participant": WHO}),
    (analysis.population_threshold, {**ROWS, "level": [1, 2] * 3, "guess": 0.5, "weigh": "trials"}),
    (analysis.population_dprime, {**ROWS, **ASKED, "weigh": "trials"}),
    (
        analysis.fit_hierarchy,
        {**ROWS, "level": None, "model": analysis.DPrimeModel(), "varies": None, "seed": 0},
    ),
    (analysis.ThresholdModel, {"sigmoid": "normal", "guess": 0.5, "p": 0.75, "axis": "log"}),
    (analysis.ScalingModel, ASKED),
    (analysis.fit_critical_scaling, {**COUNTS, **ASKED}),
    (
        analysis.fit_distortion_ratio,
        {
            "end": ["most"] * 2 + ["least"] * 2,
            "amplitude": LEVELS,
            "n_correct": RIGHT,
            "n_trials": TOTAL,
            "p": 0.75,
            "predicted": None,
        },
    ),
    (analysis.predicted_ratio, {"largest": 4.0, "smallest": 1.0}),
    (
        analysis.mad_verdict,
        {"held": ["a", "b"], "n_correct": [6, 9], "n_trials": [10, 10], "level": None, "seed": 0},
    ),
    (analysis.wilson, {"n_correct": 5, "n_trials": 10}),
    (analysis.dprime, {"p_correct": 0.75, **ASKED}),
    (analysis.p_correct, {"dprime": 1.0, **ASKED}),
    (analysis.dprime_error, {"dprime": 1.0, "n_trials": 10, **ASKED}),
    (analysis.trials_for, {"standard_error": 0.2, "dprime": 1.0, **ASKED}),
    (analysis.guess_rate, {"task": "2ifc"}),
    (analysis.link_of, {"task": PAIR, "rule": None}),
    (analysis.link_of(PAIR).p_correct, {"dprime": 1.0}),
    (analysis.link_of(PAIR).dprime, {"p_correct": 0.7}),
    (analysis.dprime_from_counts, {"n_correct": 8, "n_trials": 10, **ASKED}),
    (
        analysis.dprime_from_hits,
        {"n_hits": 8, "n_signal": 10, "n_false_alarms": 3, "n_noise": 10, "task": "yes-no"},
    ),
    (analysis.fit_bias, {"counts": [[8, 2], [3, 7]], **ASKED}),
    (analysis.compare_rules, {"counts": [[[8, 2], [3, 7]]], "task": "abx", "rules": None}),
    (analysis.decide, {"task": PAIR, "rule": None, "dprime": 1.0, "percepts": [[0.0, 1.0]]}),
    (
        lambda **given: analysis.task_efficiency(tasks=["2ifc"], **given),
        {"dprime": 1.0, "standard_error": 0.2},
    ),
    (
        analysis.StudyDesign,
        {
            "task": PAIR,
            "levels": (4.0,),
            "n_participants": 3,
            "n_images": 2,
            "n_trials": 5,
            "rule": None,
            "images": "crossed",
        },
    ),
    (
        analysis.ThresholdTruth,
        {"threshold": 4.0, "width": 2.0, "lapse": 0.02, "sd_participants": 0.1},
    ),
    (analysis.ScalingTruth, {"critical": 4.0, "gain": 2.0, "lapse": 0.02, "sd_images": 0.1}),
    (analysis.ModelTruth, {"evidence": {"a": np.ones((2, 3))}, "true": "a", "gain": 1.0}),
    (analysis.simulated_answers, {"design": K.design, "truth": K.truth, "seed": 0}),
    (analysis.power, {**STUDIES, "test": above_chance()}),
    (analysis.precision, {**STUDIES, "statistic": lambda answers: 1.0}),
    (analysis.recovery, {**STUDIES, "estimate": lambda answers: answers, "true": 1.0}),
    (above_chance, {"alpha": 0.05}),
    (threshold_within, {"octaves": 1.0, "p": 0.75}),
    (ranks_first, {"model": "m"}),
    (
        analysis.rank,
        {"answers": K.answers, "models": None, "rule": None, "conditions": None, **DRAWS},
    ),
    (analysis.rank_by_rule, {"answers": K.answers, "rules": None, "n_draws": 5}),
    (analysis.diagnose, {"answers": K.answers}),
    (analysis.read_trials, {"source": K.answers.table, "task": PAIR, "rule": None, "unit": ""}),
    (analysis.find_journals, {"data": "/no/such/folder"}),
    (analysis.answers_of, {"bank": None, "sessions": ()}),
    (analysis.evidence_of, {"bank": None, "model": "m"}),
    (analysis.NormalPrior, {"mean": 0.0, "sd": 1.0}),
    (analysis.SplitNormalPrior, {"mode": 0.0, "sd_below": 1.0, "sd_above": 1.0}),
    (analysis.BetaPrior, {"a": 1.0, "b": 2.0}),
    (analysis.HalfCauchyPrior, {"scale": 1.0}),
    (analysis.PsychometricFunction, {"sigmoid": "normal", "threshold": 2.0, "width": 1.0}),
    (K.fit.function, {"level": 2.0}),
    (K.fit.function.level_at, {"p": 0.8}),
    (K.fit.threshold_at, {"p": 0.8}),
    (K.fit.slope_at, {"p": 0.8}),
    (K.fit.predict, {"levels": [20.0]}),
    (K.fit.profile, {"levels": [20.0]}),
    (K.fit.goodness, {"seed": -1}),
    (analysis.Fit.load, {"path": "/no/such/file.json"}),
    (analysis.Ranking.load, {"path": "/no/such/file.json"}),
    (K.answers.column, {"name": "place"}),
    (K.answers.counts, {"by": "place"}),
    (K.answers.exclude, {"reason": "x", "mask": np.zeros(len(K.answers), bool)}),
    (K.answers.include, {"reason": "x"}),
    (K.answers.exclude_rt, {"min_s": 0.0, "max_s": 2.0}),
    (K.answers.exclude_participants, {"names": ["a"], "reason": ""}),
    (K.answers.only, {"place": "far"}),
    (K.answers.with_rule, {"rule": "likelihood"}),
    (K.fits.only, {"place": "far"}),
    (K.fits.__getitem__, {"key": ("a", "far")}),
    (plots.plot_thresholds, {"fits": K.fits, "ax": 3, "unit": "", "true": None}),
    (plots.plot_fit, {"fit": K.fit, "ax": 3, "unit": "", "true": None, "color": None}),
    (plots.plot_dprime, {"found": analysis.dprimes(K.answers), "ax": 3, "scaling": None}),
    (plots.plot_ranking, {"ranking": None}),
    (plots.plot_timing, {"extra_frames": [0, 1], "ax": 3}),
    (plots.plot_response_times, {"rts_s": [0.1, 0.2], "ax": 3}),
    (journal_path, {"data_dir": "data", "participant": "S1", "session": 1, "task": "abx"}),
]


@pytest.mark.parametrize(
    ("function", "arguments"), CALLS, ids=[getattr(f, "__name__", "curve") for f, _ in CALLS]
)
def test_an_odd_argument_gives_a_sentence_or_a_result(
    function: Callable[..., Any], arguments: Mapping[str, Any]
) -> None:
    for name in arguments:
        for value in ODD:
            if callable(arguments[name]) and callable(value):
                continue  # what a function of the user raises is the user's
            try:
                function(**{**arguments, name: value})
            except StimsynthError as error:
                assert "\n" not in str(error) and len(str(error)) < 600, (name, value, str(error))
    plt.close("all")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: analysis.fit_psychometric(LEVELS, RIGHT, TOTAL, priors="x"), "a mapping"),  # type: ignore[arg-type]
        (
            lambda: analysis.fit_psychometric(
                LEVELS,
                RIGHT,
                TOTAL,
                priors={"lapse": analysis.NormalPrior},  # type: ignore[dict-item]
            ),
            "prior of lapse must be FlatPrior\\(\\), NormalPrior\\(…\\)",
        ),
        (lambda: analysis.fit_psychometric(LEVELS, RIGHT, TOTAL, rising=0), "True, False or None"),  # type: ignore[arg-type]
        (lambda: analysis.fit_many(3), "sets must be a list; not 3"),  # type: ignore[arg-type]
        (lambda: analysis.fit(K.answers, by=None), "by must be a name, or a list of names"),  # type: ignore[arg-type]
        (lambda: K.answers.exclude_rt("a", 2), "min_s must be a number|finite number"),  # type: ignore[arg-type]
        (lambda: K.answers.exclude_participants(3), "unknown participant '3'"),  # type: ignore[arg-type]
        (lambda: analysis.power(K.design, {}, above_chance()), "at least one condition"),
        (lambda: analysis.power(K.design, None, above_chance()), "truth must be a truth"),  # type: ignore[arg-type]
        (lambda: K.fit.predict([NAN, "x"]), "levels must be numbers; 'x'"),  # type: ignore[list-item]
        (lambda: K.fit.save("/no/such/folder/x.json"), "cannot be written .* No such file"),
        (lambda: analysis.read_trials(K.answers.table, unit=3), "unit must be a text"),  # type: ignore[arg-type]
        (lambda: analysis.dprime_from_counts("8", 10), "n_correct must be numbers; '8'"),  # type: ignore[arg-type]
        (lambda: analysis.rank(K.answers, models="true"), "unknown model 'true'.*known: m"),  # type: ignore[arg-type]
        (lambda: analysis.task_efficiency(tasks=[]), "tasks is empty"),
        (lambda: analysis.task_efficiency(tasks="2ifc"), "tasks must be a list"),  # type: ignore[arg-type]
        (lambda: analysis.task_efficiency(-1), "dprime must be a finite number above 0"),
        (lambda: analysis.wilson(3, 2e9), "n_trials must be at most 1e\\+09"),
        (lambda: analysis.fit_psychometric([1, 2], [5, 6], [INF] * 2), "whole numbers"),
        (lambda: analysis.fit_psychometric([1, 2, 4], [0, 1, 1], [40] * 3), "hold proportions"),
        (
            lambda: analysis.read_trials([[1, 0, 40], [2, 1, 40], [4, 1, 40]]),
            "hold proportions correct: 2 answers of 120",
        ),
        (
            lambda: analysis.read_trials(K.answers.table.drop(columns=["task", "rule"]), rule="x"),
            "name the task too",
        ),
    ],
)
def test_the_sentence_says_what_would_do(call: Callable[[], object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        call()


@pytest.mark.parametrize(
    ("right", "total"),
    [([0, 0, 0], 40), ([1, 0, 0], 40), ([0, 1, 1], 2), ([1, 1, 1], 1), ([1, 1], 5)],
)
def test_few_right_answers_are_counts_where_they_can_be(right: list[int], total: int) -> None:
    fit = analysis.fit_psychometric(range(1, len(right) + 1), right, [total] * len(right))
    assert fit.n_trials == total * len(right)


@pytest.mark.parametrize("scale", [1e3, 1e6, 1e9])
def test_many_trials_bound_a_threshold_without_a_warning(scale: float) -> None:
    right = [round(scale * p) for p in (0.5, 0.6, 0.8, 0.95)]
    fit = analysis.fit_psychometric(LEVELS, right, [scale] * 4)
    assert LEVELS[0] < fit.low <= fit.threshold <= fit.high < LEVELS[-1]


def test_every_result_prints_in_a_line() -> None:
    shown = [
        K.fit,
        K.fit.counts,
        K.fit.posterior,
        K.fits,
        analysis.grid_posterior(K.fit),
        analysis.grid_posterior(K.fit).grid,
        analysis.parametric_bootstrap(K.fit, n_draws=20),
        analysis.fit_modes(LEVELS, [RIGHT], TOTAL),
        analysis.dprime_from_counts(8, 10),
        analysis.fit_bias([[8, 2], [3, 7]], "2ifc"),
        analysis.mad_verdict(["a", "b"], [6, 9], [10, 10]),
        analysis.fit_distortion_ratio(["most", "most", "least", "least"], LEVELS, RIGHT, TOTAL),
        analysis.fit_hierarchy(**ROWS, level=None, model=analysis.DPrimeModel(task="2ifc")),  # type: ignore[arg-type]
        analysis.analyse(
            analysis.read_trials([list(row) for row in zip(LEVELS, RIGHT, TOTAL, strict=True)])
        ),
        K.design,
    ]
    for result in shown:
        text = repr(result)
        assert len(text) < 300 and "\n" not in text and "array(" not in text, text


def test_a_gate_without_an_argument_is_a_slip_of_ours() -> None:
    with pytest.raises(KeyError, match="missing"):
        gates.takes(missing=gates.a_text)(lambda there: there)


def test_folders_of_journals_may_be_texts() -> None:
    assert journal_path("data", "S1", 1, "abx") == journal_path(Path("data"), "S1", 1, "abx")


#: Functions of one value, given in place of a rule, a number or a choice.
OF_ONE: dict[str, Callable[[Any], Any]] = {
    "rule": lambda v: analysis.dprime(0.75, "2afc", rule=v),
    "rule of a design": lambda v: replace(K.design, rule=v),
    "rule of counts": lambda v: analysis.dprime_from_counts(30, 40, "2afc", rule=v),
    "rule of a population": lambda v: analysis.population_dprime(**ROWS, task="2afc", rule=v),
    "baselines": lambda v: analysis.rank(K.answers, baselines=v, n_draws=5),
    "guess": lambda v: analysis.fit_psychometric(LEVELS, RIGHT, TOTAL, guess=v),
    "lapse": lambda v: analysis.fit_psychometric(LEVELS, RIGHT, TOTAL, lapse=v),
    "seed": lambda v: analysis.goodness_of_fit(K.fit, n_draws=5, seed=v),
    "n_draws": lambda v: analysis.goodness_of_fit(K.fit, n_draws=v),
    "n_participants": lambda v: replace(K.design, n_participants=v),
}


@pytest.mark.parametrize("name", OF_ONE)
def test_several_values_in_place_of_one_are_refused_in_a_line(name: str) -> None:
    for value in SEVERAL:
        with pytest.raises(InputError) as caught:
            OF_ONE[name](value)
        assert "\n" not in str(caught.value)
