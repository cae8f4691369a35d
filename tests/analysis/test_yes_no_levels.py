"""Yes/no tasks whose levels vary: reports and false alarms, one rule for curves, d' and the report."""

import numpy as np
import pandas as pd
import pytest

from analysis import Answers, analyse, dprime_from_hits, dprimes, read_trials
from analysis.curves.psychometric import PsychometricFunction
from analysis.fits.fitting import fit_psychometric
from analysis.fits.groups import fit
from stimuli_store.errors import InputError

LEVELS, YES, N = (0.01, 0.02, 0.04, 0.08), (20, 72, 105, 116), 120


def answered(noise_level: float = 0.0, who: str = "a", alarms: int = 25) -> pd.DataFrame:
    """Trials of one person: `alarms` false alarms in 120 at one level, YES hits in 120 at each other."""
    cells = [
        ("no", noise_level, alarms),
        *(("yes", x, k) for x, k in zip(LEVELS, YES, strict=True)),
    ]
    return pd.DataFrame(
        [(who, answer, x, "yes" if i < k else "no") for answer, x, k in cells for i in range(N)],
        columns=["participant", "answer", "level", "response"],
    )


def read(frame: pd.DataFrame) -> Answers:
    return read_trials(frame, task="yes-no")


def test_a_curve_is_of_reports_and_not_of_right_answers() -> None:
    found = fit(read(answered()))[()]
    assert found.counts.n_correct.tolist() == [25, *YES]
    given = ([0, *LEVELS], [25, *YES], [N] * 5)
    alone = fit_psychometric(*given, guess="free", axis="linear")
    assert (found.threshold, found.low, found.high) == (alone.threshold, alone.low, alone.high)
    assert found.low < found.threshold < found.high < np.inf


def test_a_curve_of_reports_recovers_the_false_alarms() -> None:
    curve = PsychometricFunction(
        sigmoid="normal", threshold=3.0, width=3.0, guess=0.2, lapse=0.0, axis="linear"
    )
    levels, n = np.arange(7.0), 3000
    yes = np.round(n * curve(levels))
    frame = pd.DataFrame({"level": levels, "answer": ["no"] + ["yes"] * 6, "response": "yes"})
    rows = [frame.assign(n=yes), frame.assign(response="no", n=n - yes)]
    cells = pd.concat(rows, ignore_index=True)
    table = cells.loc[cells.index.repeat(cells.n)].drop(columns="n")
    found = fit(read(table), sigmoid="normal", p=0.6)[()]
    assert found.function.guess == pytest.approx(0.2, abs=0.03)
    assert found.threshold == pytest.approx(float(curve.level_at(0.6)), rel=0.02)


def test_correct_rejections_at_levels_of_a_difference_are_refused() -> None:
    answers = read(answered(noise_level=0.04))
    with pytest.raises(InputError, match=r"no point of a curve.*only\(answer='yes'\)"):
        fit(answers)
    hits = fit(answers.only(answer="yes"))[()]
    assert hits.counts.n_correct.tolist() == [*YES]
    counted = pd.DataFrame({"level": LEVELS, "n_correct": YES, "n_trials": N})
    with pytest.raises(InputError, match="roles answer and response"):
        fit(read(counted))


def test_dprimes_by_level_are_those_of_the_report() -> None:
    answers = read(answered())
    found = dprimes(answers, by="level")
    assert list(found) == [dprime_from_hits(k, N, 25, N, "yes-no") for k in YES]
    assert found.keys == tuple((x,) for x in LEVELS)
    (condition,) = analyse(answers).conditions
    assert condition.own_dprimes == (None, *found)


def test_everybody_has_their_own_false_alarms() -> None:
    answers = read(pd.concat([answered(), answered(who="b", alarms=60)]))
    found = dprimes(answers, by=["participant", "level"])
    for who, alarms in (("a", 25), ("b", 60)):
        for level, hits in zip(LEVELS, YES, strict=True):
            assert found[who, level] == dprime_from_hits(hits, N, alarms, N, "yes-no")
    of_b = answers.table.participant == "b"
    no_noise = answers.exclude("x", (of_b & (answers.table.level == 0)).to_numpy())
    with pytest.raises(InputError, match=r"of b, 0\.01 are all to trials with a difference"):
        dprimes(no_noise, by=["participant", "level"])
