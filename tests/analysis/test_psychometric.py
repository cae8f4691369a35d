"""Psychometric functions: identities that any sigmoid must keep, and textbook formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.curves.axes import to_axis
from analysis.curves.psychometric import PsychometricFunction
from analysis.curves.sigmoids import SIGMOIDS
from stimuli_store.errors import InputError

curves = st.builds(
    PsychometricFunction,
    sigmoid=st.sampled_from(sorted(SIGMOIDS)),
    threshold=st.floats(0.5, 200),
    width=st.floats(0.1, 8),
    guess=st.sampled_from([0.0, 0.25, 0.5]),
    lapse=st.floats(0, 0.2),
)


@given(curve=curves)
def test_threshold_and_width_mean_what_they_say(curve: PsychometricFunction) -> None:
    room = 1 - curve.guess - curve.lapse
    assert float(curve(curve.threshold)) == pytest.approx(curve.guess + 0.5 * room)
    low, high = curve.level_at([curve.guess + 0.05 * room, curve.guess + 0.95 * room])
    assert np.log2(high / low) == pytest.approx(curve.width, rel=1e-6)


@given(curve=curves, share=st.floats(0.01, 0.99))
def test_inverse_undoes_the_curve(curve: PsychometricFunction, share: float) -> None:
    p = curve.guess + share * (1 - curve.guess - curve.lapse)
    assert float(curve(curve.level_at(p))) == pytest.approx(p, abs=1e-9)


@given(curve=curves)
def test_curve_rises_within_its_asymptotes(curve: PsychometricFunction) -> None:
    p = curve(np.geomspace(1e-3, 1e5, 400))
    assert (np.diff(p) >= -1e-15).all()
    assert p.min() >= curve.guess - 1e-12
    assert p.max() <= 1 - curve.lapse + 1e-12


@pytest.mark.parametrize("name", sorted(SIGMOIDS))
def test_slope_of_a_shape_is_its_derivative(name: str) -> None:
    shape, z, h = SIGMOIDS[name], np.linspace(-4, 3, 60), 1e-6
    numeric = (shape.value(z + h) - shape.value(z - h)) / (2 * h)
    assert shape.slope(z) == pytest.approx(numeric, abs=1e-8)


def test_weibull_is_the_textbook_one() -> None:
    """P = 1 − exp(−(level/α)^β), with α and β found from the threshold and width."""
    curve = PsychometricFunction(sigmoid="weibull", threshold=30, width=2, guess=0.0)
    beta = np.log(np.log(0.05) / np.log(0.95)) / (2 * np.log(2))
    alpha = 30 / np.log(2) ** (1 / beta)
    level = np.geomspace(4, 200, 40)
    assert curve(level) == pytest.approx(1 - np.exp(-((level / alpha) ** beta)), abs=1e-12)


def test_linear_axis_takes_any_level() -> None:
    curve = PsychometricFunction(
        sigmoid="normal", threshold=-1.0, width=2.0, guess=0.0, axis="linear"
    )
    assert float(curve(-1.0)) == pytest.approx(0.5)
    assert float(curve.level_at(0.95) - curve.level_at(0.05)) == pytest.approx(2.0)


def test_levels_never_reached_are_infinite_or_zero() -> None:
    curve = PsychometricFunction(sigmoid="normal", threshold=30, width=2, guess=0.5, lapse=0.1)
    assert curve.level_at([0.4, 0.5]).tolist() == [0.0, 0.0]
    assert np.isposinf(curve.level_at([0.9, 0.99])).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: PsychometricFunction(sigmoid="weibul", threshold=1, width=1), "'weibull'"),
        (
            lambda: PsychometricFunction(sigmoid="weibull", threshold=1, width=1, axis="linear"),
            "gumbel",
        ),
        (
            lambda: PsychometricFunction(sigmoid="normal", threshold=1, width=0),
            "width must be a finite",
        ),
        (
            lambda: PsychometricFunction(sigmoid="normal", threshold=1, width=1, lapse=0.6),
            "a sum below 1",
        ),
        (lambda: to_axis([1.0, 0.0]), "above zero"),
        (lambda: to_axis([1.0, np.nan]), "finite"),
        (lambda: to_axis([1.0], axis="cubic"), "unknown axis"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call()
