"""Descent along constraints, on problems with known answers."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor

from stimsynth.engine.constrained.descent import Constrained
from stimsynth.engine.loop import iterate
from stimsynth.engine.problem import Held, Problem
from stimsynth.engine.run import Run, Status
from stimsynth.engine.stop import LossConvergence
from stimsynth.methods.base.state_tree import map_tensors, pack, unpack
from stimuli_store.errors import InputError
from tests.synth.problems import HELD_PROBLEMS, NORMS, HeldKnown, eigenvectors, many_pixels

STOP = LossConvergence(criterion=1e-12, window=10)
NEVER = LossConvergence(criterion=0.0, window=1000)
ENDED = (Status.CONVERGED, Status.PRECISE)


def solve(known: HeldKnown, steps: int = 400, resume: Run | None = None) -> Run:
    method = Constrained(bounds=known.bounds, first_step=known.first_step)
    return iterate(known.problem, method, known.start, max_steps=steps, stop=STOP, resume=resume)


@pytest.mark.parametrize("known", [*HELD_PROBLEMS, *NORMS], ids=lambda k: k.name)
def test_the_least_objective_is_found_and_what_is_held_stays(known: HeldKnown) -> None:
    run = solve(known)
    assert all(s in ENDED for s in run.status), run.status
    torch.testing.assert_close(run.history["objective"][-1], known.least, rtol=1e-6, atol=1e-9)
    for name, target in known.targets.items():
        torch.testing.assert_close(
            run.history[name], target.expand_as(run.history[name]), rtol=1e-7, atol=0
        )
        torch.testing.assert_close(
            known.held[name](run.points, torch.arange(len(target))), target, rtol=1e-7, atol=0
        )
    if known.bounds:
        assert run.points.min() >= known.bounds[0]
        assert run.points.max() <= known.bounds[1]
    slack = 1e-6 * run.history["objective"][0].abs()
    assert bool((run.history["objective"].diff(dim=0) <= slack).all())


def test_sparse_answers_are_sparse_to_the_last_bit() -> None:
    """A value that a kink attracts ends on it, not near it."""
    for known in many_pixels()[1:3]:
        assert known.nonsmooth_at is not None
        changed = (solve(known).points != known.nonsmooth_at).flatten(1).sum(1)
        assert changed.tolist() == [1, 1]


def test_a_batch_equals_single_runs() -> None:
    for known in (eigenvectors(), many_pixels()[2]):
        together = solve(known, steps=15)
        for item in range(len(known.start)):
            alone = solve(known.of(item), steps=15)
            torch.testing.assert_close(alone.points[0], together.points[item], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("first", [0, 1, 7])
def test_two_legs_equal_one_run_bit_for_bit(first: int) -> None:
    for known in (eigenvectors(), many_pixels()[1]):
        go = partial(iterate, known.problem, Constrained(), known.start, stop=NEVER)
        whole, leg = go(max_steps=12), go(max_steps=first)
        both = go(max_steps=12 - first, resume=leg)
        assert torch.equal(whole.points, both.points)
        for name, column in whole.history.items():
            assert torch.equal(column, both.history[name]), name


def test_a_state_in_a_file_goes_on_as_it_was() -> None:
    known, method = many_pixels()[1], Constrained()
    go = partial(iterate, known.problem, method, known.start, stop=NEVER)
    whole, leg = go(max_steps=12), go(max_steps=5)
    state = method.revive(unpack(*pack(method.record(leg.state))))
    both = go(max_steps=7, resume=replace(leg, state=state))
    assert torch.equal(whole.points, both.points)


def test_a_run_goes_on_in_another_precision() -> None:
    double, method = eigenvectors(), Constrained()
    known = replace(double, value=lambda x, i: double.value(x.double(), i).to(x))
    leg = solve(known, steps=5)
    record = map_tensors(
        method.record(leg.state), lambda x: x.float() if x.is_floating_point() else x
    )
    run = solve(known, resume=replace(leg, state=method.revive(record)))
    assert run.points.dtype == torch.float32
    torch.testing.assert_close(
        run.history["objective"][-1].double(), known.least, rtol=1e-4, atol=0
    )
    assert run.n_steps > 10


def test_scales_of_objective_and_held_terms_do_not_matter() -> None:
    known = eigenvectors()
    scaled = replace(
        known,
        value=lambda x, i: 1e8 * known.value(x, i),
        held={"square": lambda x, i: 1e-6 * known.held["square"](x, i)},
        targets={"square": 1e-6 * known.targets["square"]},
    )
    plain, other = (solve(k, steps=8).points for k in (known, scaled))
    torch.testing.assert_close(plain, other, rtol=1e-6, atol=1e-9)


@pytest.mark.long
def test_single_precision_holds_to_a_millionth() -> None:
    for known in (*HELD_PROBLEMS, *NORMS):
        target = {name: value.float() for name, value in known.targets.items()}
        single = replace(
            known,
            value=lambda x, i, k=known: k.value(x.double(), i).float(),
            held={n: lambda x, i, f=f: f(x.double(), i).float() for n, f in known.held.items()},
            targets=target,
            start=known.start.float(),
            nonsmooth_at=None if known.nonsmooth_at is None else known.nonsmooth_at.float(),
        )
        run = solve(single)
        objective = run.history["objective"][-1].double()
        torch.testing.assert_close(objective, known.least, rtol=1e-4, atol=1e-4, msg=known.name)
        for name, value in target.items():
            row = run.history[name]
            torch.testing.assert_close(row, value.expand_as(row), rtol=1e-6, atol=0)


def disc(target: Tensor) -> Problem:
    """Σx at a given |x|² for every item."""
    return Problem(
        terms=lambda x, _: {"f": x.sum(1)},
        weights={"f": 1.0},
        held=Held(terms=lambda x, _: {"square": (x**2).sum(1)}, targets={"square": target}),
    )


def test_what_the_box_does_not_hold_is_said_and_the_others_go_on() -> None:
    target = torch.tensor([3.0, 30.0], dtype=torch.float64)  # at most 12 in the box
    start = torch.linspace(0.2, 0.4, 24, dtype=torch.float64).view(2, 12)
    run = iterate(disc(target), Constrained(bounds=(0.0, 1.0)), start, max_steps=200, stop=STOP)
    assert run.status[0] in ENDED
    assert run.status[1] is Status.UNREACHED
    assert run.status[1].finished
    torch.testing.assert_close(run.history["objective"][-1, 0].item(), 3.0)  # three ones
    assert run.history["square"][-1, 1] == 12  # as near as it gets


@pytest.mark.parametrize("root", [False, True], ids=["slope 0", "slope undefined"])
def test_a_start_without_slope_of_the_held_term_is_said(root: bool) -> None:
    """With a slope of 0 no step can change the held term; with a slope of NaN none can be chosen."""
    start = torch.zeros(1, 5, dtype=torch.float64)

    def held(x: Tensor, _: Tensor) -> dict[str, Tensor]:
        square = (x**2).sum(1)
        return {"held": square.sqrt() if root else square}

    problem = Problem(
        terms=lambda x, _: {"f": x.sum(1)},
        weights={"f": 1.0},
        held=Held(terms=held, targets={"held": torch.ones(1, dtype=torch.float64)}),
    )
    run = iterate(problem, Constrained(), start, max_steps=5, stop=STOP)
    assert run.status == (Status.NOT_FINITE if root else Status.UNREACHED,)
    assert torch.equal(run.points, start)


def test_an_objective_without_slope_along_the_constraint_ends_at_once() -> None:
    known = eigenvectors()
    flat = replace(known, value=known.held["square"])
    run = solve(flat)
    assert all(s in ENDED for s in run.status)
    assert run.n_steps <= 10


def test_kinks_are_only_seen_where_there_are_any() -> None:
    reference = torch.rand(
        2, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    start = reference + 0.1

    def power(x: Tensor, items: Tensor) -> Tensor:
        exponent = torch.tensor([1.0, 2.0], dtype=torch.float64)[items]
        return ((x - reference[items]).abs().flatten(1) ** exponent[:, None]).sum(1)

    problem = Problem(
        terms=lambda x, _: {"f": x.flatten(1).sum(1)},
        weights={"f": 1.0},
        held=Held(
            terms=lambda x, i: {"held": power(x, i)},
            targets={"held": power(start, torch.arange(2))},
        ),
        nonsmooth_at=reference,
    )
    assert Constrained().init(problem, start).nonsmooth.tolist() == [True, False]


def test_items_whose_problem_changed_are_measured_anew() -> None:
    known, method = eigenvectors(), Constrained()
    leg = solve(known, steps=6)
    targets = known.targets["square"] * torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)
    changed = replace(
        known, targets={"square": targets}, least=known.least * targets / known.targets["square"]
    )
    which = torch.tensor([False, True, False])
    state = method.restart(changed.problem, leg.state, which)
    assert torch.equal(state.points[[0, 2]], leg.points[[0, 2]])
    torch.testing.assert_close(state.terms["square"], targets, rtol=1e-7, atol=0)
    run = solve(changed, resume=replace(leg, state=state))
    torch.testing.assert_close(run.history["objective"][-1], changed.least, rtol=1e-6, atol=0)


def test_what_cannot_be_held_is_refused() -> None:
    start = torch.ones(2, 3)
    bare = Problem(terms=lambda x, _: {"f": x.sum(1)}, weights={"f": 1.0})
    with pytest.raises(InputError, match="needs held terms"):
        Constrained().init(bare, start)
    for target in (torch.ones(3), torch.tensor([1.0, torch.nan])):
        with pytest.raises(InputError, match="finite target for each of 2 problems"):
            Constrained().init(disc(target), start)
