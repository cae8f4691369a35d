"""Odd arguments of every public plot: one sentence, or a figure that can be drawn, but no error of others."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from stimsynth import plots
from stimuli_store.errors import StimsynthError
from tests.synth.plot_calls import CALLS

NAN, INF = float("nan"), float("inf")
#: Values of each kind, for every run of the tests.
FEW: list[Any] = [-1.5, "x", r"$\foo$", object(), [], {"a": 1}, INF]
#: More of each kind.
MORE: list[Any] = [
    *(None, 3, -1, True, "8", "", NAN, 1e300, 10**30, b"x", (), {}, ["a", 3], [3, 3], [NAN, "x"]),
    *(dict, {"lapse": 3}, "$x", [0, 99], (1, 0), (0, NAN), (0, INF), (1, 1), (2, 3, 4)),
    *([r"$\foo$"], np.array([]), np.array(["a", "b"]), torch.zeros(3), torch.zeros(1, 1, 2)),
    *(np.ones((1, 1, 2, 3)), torch.full((1, 1, 2, 2), NAN), torch.zeros(0, 1, 8, 8)),
    *(nn.Identity(), torch.ones(1, 1, 4, 4) > 0, torch.ones(2, 2, 4, 4), 0.5, 1j),
]


def check_odd(name: str, values: list[Any]) -> None:
    function, arguments = CALLS[name]
    given = arguments()
    assert drawn(function(**given)) if name not in NEVER else True
    for argument in given:
        for value in values:
            if callable(given[argument]) and callable(value):
                continue  # what a function of the user raises is the user's
            try:
                drawn(function(**{**given, argument: value}))
            except StimsynthError as error:
                said = str(error)
                assert "\n" not in said and len(said) < 600, (argument, value, said)
            except Exception as error:
                raise AssertionError(f"{name}({argument}={value!r}): {error!r}") from error


def drawn(made: Any) -> bool:
    """Draw the figure of what a plot returned, since some errors come only then."""
    first = made[0] if isinstance(made, tuple | list) else made
    if isinstance(first, plots.Film):
        first.frame(0)
    elif hasattr(first, "get_figure"):
        first.get_figure(root=True).draw_without_rendering()
    return True


#: Those that are given what cannot be: a folder that does not exist, published files, no film.
NEVER = ("save", "plot_MAD_results", "convert_anim_to_html")


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore:plot_complex must be:UserWarning")
def test_an_odd_argument_gives_a_sentence_or_a_figure(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_odd(name, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore:plot_complex must be:UserWarning")
def test_more_odd_arguments_give_a_sentence_or_a_figure(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_odd(name, MORE)


def test_every_public_plot_is_asked() -> None:
    asked = {name.split()[0] for name in CALLS}
    assert set(dir(plots)) <= asked
