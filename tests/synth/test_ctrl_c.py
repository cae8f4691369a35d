"""Ctrl-C keeps what was done and goes on to the script, whose `synthesize` can continue."""

import signal
from collections.abc import Iterator
from functools import partial

import pytest
import torch

from stimsynth import mad_set
from stimsynth.engine.interrupt import Interrupt, interruptible
from stimsynth.engine.run import Status
from stimsynth.losses import mse
from tests.synth.every_synthesis import (
    CASES,
    Case,
    Trap,
    contrast,
    eigendistortion,
    picture,
    points,
    press_ctrl_c,
    python_handles_ctrl_c,
)


@pytest.fixture(autouse=True)
def handled() -> Iterator[None]:
    with python_handles_ctrl_c():
        yield


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_run_ends_and_goes_on(case: Case) -> None:
    (whole, _), (broken, trap) = case.begin(), case.begin()
    whole.synthesize(9, **case.options)
    trap.set(case.calls, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        broken.synthesize(9, **case.options)
    taken = broken.run.n_steps
    assert 0 < taken < 9
    assert set(broken.status) == {Status.INTERRUPTED}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    broken.synthesize(9 - taken, **case.options)
    torch.testing.assert_close(points(broken), points(whole), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(broken.losses, whole.losses, rtol=1e-6, atol=1e-12)


def test_a_press_before_the_first_step_is_not_forgotten() -> None:
    found, trap = CASES["Metamer"].begin()
    trap.set(1, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        found.synthesize(100)
    assert found.run.n_steps == 0


def test_a_script_of_several_ends_at_the_first_press() -> None:
    begun = []
    with pytest.raises(KeyboardInterrupt):
        for _ in range(4):
            found, trap = CASES["Metamer"].begin()
            trap.set(8, press_ctrl_c)
            begun.append(found)
            found.synthesize(20)
    assert len(begun) == 1


@pytest.mark.parametrize("method", ["lanczos", "power"])
def test_eigendistortions_are_kept(method: str) -> None:
    found, trap, options = eigendistortion(method)
    trap.set(12, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        found.synthesize(**options, max_iter=30)
    assert found.status == (Status.INTERRUPTED,)
    assert found.eigendistortions.shape == (4, 1, 8, 8)
    assert found.n_products[0] < 30
    found.synthesize(**options, max_iter=5)
    assert found.status != (Status.INTERRUPTED,)


@pytest.mark.parametrize("presses", [1, 2])
def test_of_a_set_the_images_so_far_are_kept(presses: int) -> None:
    """The second press ends the step that the first one waits for."""
    trap = Trap(contrast)

    def press() -> None:
        press_ctrl_c()
        trap.set(1, press_ctrl_c)

    trap.set(300, press_ctrl_c if presses == 1 else press)
    with pytest.raises(KeyboardInterrupt) as caught:
        mad_set(picture(), trap, mse, max_iter=100, seed=1)
    (level,) = caught.value.levels  # type: ignore[attr-defined]
    for member in level.members.values():
        assert member.status == (Status.INTERRUPTED,)
        assert not torch.equal(member.image, level.initial_image)
        assert member.drift.abs().max() < 1e-6


def test_a_grid_is_left() -> None:
    found, trap = CASES["Metamer"].begin()
    found.synthesize(3)
    trap.set(10, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        found.on_grid()  # type: ignore[attr-defined]


def test_loops_within_loops_all_end_and_the_second_press_ends_at_once() -> None:
    with Interrupt() as outer:
        with Interrupt() as inner:
            press_ctrl_c()
        assert inner.asked
        assert outer.asked
        with Interrupt() as later:
            assert later.asked
            with pytest.raises(KeyboardInterrupt):
                press_ctrl_c()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_after_the_press_does_not_swallow_it() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        press_ctrl_c()
        raise RuntimeError


def test_the_handler_of_the_program_decides() -> None:
    """A program that takes Ctrl-C for something else gets it, once the loop has ended."""
    seen: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
    found, trap = CASES["Metamer"].begin()
    trap.set(8, press_ctrl_c)
    found.synthesize(20)
    assert seen == [signal.SIGINT]
    assert found.status == (Status.INTERRUPTED,)


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    found, trap = CASES["Metamer"].begin()
    trap.set(8, press_ctrl_c)
    found.synthesize(20, stop_criterion=0.0)
    assert found.run.n_steps == 20


def test_the_points_are_those_of_an_optimizer_too() -> None:
    found, trap = CASES["Metamer"].begin()
    trap.set(8, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        found.synthesize(20, partial(torch.optim.SGD, lr=0.1))
    assert torch.equal(found.run.state.leaf.detach(), points(found))
