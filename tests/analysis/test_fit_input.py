"""Bad input of fits: one sentence that says what was given and what would do."""

import numpy as np
import pytest

from analysis.curves.axes import Axis
from analysis.data.counts import counts_of
from analysis.fits.fitting import fit_many, fit_psychometric
from analysis.fits.modes import fit_modes
from analysis.infer.priors import BetaPrior, HalfCauchyPrior, NormalPrior, prior_from_json
from stimuli_store.errors import InputError

THREE = ([1, 2, 4], [11, 15, 19], [20] * 3)
BACKWARDS = Axis(name="backwards", position=np.negative, level=np.negative)
LOSSY = Axis(name="lossy", position=np.sqrt, level=np.exp)


def counts(levels=THREE[0], right=THREE[1], total=THREE[2], **settings):  # type: ignore[no-untyped-def]
    return lambda: fit_psychometric(levels, right, total, **settings)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (counts([1, 2]), "the same length"),
        (counts(right=[21, 15, 19]), "between 0 and n_trials"),
        (counts(right=[np.nan, 15, 19]), "between 0 and n_trials"),
        (counts(total=[0, 0, 0], right=[0, 0, 0]), "no trial"),
        (counts(right=[0.55, 0.75, 1.0]), "counts, not proportions such as 0.55"),
        (counts(right=[7.5, 15, 19]), "whole numbers of 0 or more; 7.5"),
        (counts(total=[20.5] * 3), "n_trials must be whole"),
        (counts(["1,5", "2,5", "4"]), "levels must be numbers; '1,5' is none .*decimal commas"),
        (counts([1, None, 4]), "levels must be numbers; None"),
        (counts(right=["11", "15", "19"]), "n_correct must be numbers; '11'"),
        (counts([1, np.nan, 4]), "a level is not a finite number"),
        (counts([1, np.inf, 4], axis="linear"), "a level is not a finite number"),
        (counts([0, 2, 4]), "above zero"),
        (counts(p=0.5), "between the guess rate, 0.5, and 1; not 0.5"),
        (counts(p=75), "not 75"),
        (counts(p="0.75"), "must be a number .* not '0.75'"),
        (counts(p=0.99, lapse=0.02), "1 minus the lapse rate, 0.98; not 0.99"),
        (counts(guess=None), "guess must be a number .* 'free' or 'tied'; not None"),
        (counts(guess="frei"), "'free'"),
        (counts(guess=1.0), "guess must be a number"),
        (counts(lapse="tied"), "setting of lapse"),
        (counts(lapse=-0.1), "lapse must be a number"),
        (counts(guess=0.6, lapse=0.5), "a sum below 1"),
        (counts(sigmoid="weibul"), "did you mean 'weibull'"),
        (counts(sigmoid="weibull", axis="linear"), "use axis='log', or sigmoid='gumbel'"),
        (counts(axis="logarithmic"), "unknown axis 'logarithmic'"),
        (counts(axis=np.sqrt), "Axis\\(name="),
        (counts(axis=BACKWARDS), "does not rise"),
        (counts(axis=LOSSY), "not each other's inverse"),
        (counts(rising="down"), "rising must be True, False or None"),
        (counts(dispersion="betabinomial"), "did you mean 'beta-binomial'"),
        (counts(priors={"widht": NormalPrior(mean=0, sd=1)}), "did you mean 'width'"),
        (counts(priors={"guess": BetaPrior(a=1, b=2)}), "unknown prior: no free quantity 'guess'"),
        (counts(priors={"width": 3}), "prior of width"),
        (lambda: NormalPrior(mean=0, sd=0), "sd must be a finite number above 0"),
        (lambda: BetaPrior(a=0.5, b=2), "at least 1"),
        (lambda: HalfCauchyPrior(scale=-1), "scale must be a finite number above 0"),
        (lambda: prior_from_json({"family": "bta", "a": 1}), "did you mean 'beta'"),
        (lambda: prior_from_json({"family": "beta", "c": 1}), "does not have these numbers"),
        (lambda: fit_many([([1, 2], [1, 2])]), "three lists"),
        (lambda: fit_modes([1, 2], [1, 2], [2, 2]), "a row for each data set"),
        (lambda: fit_modes([1, 2], [[1, 3]], [2, 2]), "between 0 and n_trials"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said) as refusal:
        call()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("call", [fit_psychometric, fit_many])
def test_misspelt_options_are_not_accepted(call) -> None:  # type: ignore[no-untyped-def]
    given = THREE if call is fit_psychometric else ([THREE],)
    with pytest.raises((TypeError, InputError), match="sigmod"):
        call(*given, sigmod="normal")


def test_whole_numbers_in_other_clothes_are_counts() -> None:
    plain = counts_of([1, 2, 4], [11, 15, 19], [20] * 3)
    for right in ([11.0, 15.0, 19.0], np.array([11, 15, 19], dtype=np.uint8), (11, 15, 19)):
        assert counts_of([1, 2, 4], right, [20] * 3).n_correct.tolist() == plain.n_correct.tolist()
    bools = counts_of([1, 1, 2], [True, False, True], [1, 1, 1])
    assert bools.n_correct.tolist() == [1, 1]
