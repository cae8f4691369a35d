"""The loop and its methods, on problems with known answers."""

from functools import partial

import pytest
import torch
from torch import Tensor

from stimsynth.engine.descent import Descent
from stimsynth.engine.history import History
from stimsynth.engine.lbfgs import LBFGS
from stimsynth.engine.loop import iterate
from stimsynth.engine.problem import Problem
from stimsynth.engine.run import Run, Status
from stimsynth.engine.stop import LossConvergence
from tests.synth.every_synthesis import press_ctrl_c, python_handles_ctrl_c
from tests.synth.problems import PROBLEMS, Known, quadratic, rosenbrock

STOP = LossConvergence(criterion=1e-12, window=10)


def solve(known: Known, steps: int = 500, resume: Run | None = None) -> Run:
    method = LBFGS(bounds=known.bounds)
    return iterate(known.problem, method, known.start, max_steps=steps, stop=STOP, resume=resume)


@pytest.mark.parametrize("known", PROBLEMS, ids=lambda k: k.name)
def test_lbfgs_finds_the_known_answer(known: Known) -> None:
    run = solve(known)
    assert all(s in (Status.CONVERGED, Status.PRECISE) for s in run.status)
    torch.testing.assert_close(run.points, known.answer, atol=1e-5, rtol=0)
    if known.bounds:
        assert run.points.min() >= known.bounds[0]
        assert run.points.max() <= known.bounds[1]


def test_lbfgs_needs_few_evaluations_on_a_known_hard_valley() -> None:
    """Scipy's L-BFGS-B takes some 40 iterations on Rosenbrock's function; ours must be of that order."""
    from scipy.optimize import minimize, rosen, rosen_der

    known = rosenbrock()
    theirs = minimize(rosen, known.start[0].numpy(), jac=rosen_der, method="L-BFGS-B").nit
    run = solve(known)
    reached = (run.history["objective"][:, 0] < 1e-8).nonzero()[0].item()
    assert reached <= 2 * theirs


def test_the_objective_never_rises() -> None:
    for known in PROBLEMS:
        objective = solve(known).history["objective"]
        slack = 1e-12 * objective[0].abs()
        assert bool((objective.diff(dim=0) <= slack).all()), known.name


def test_a_batch_equals_single_runs() -> None:
    known = quadratic()
    together = solve(known, steps=20).history["objective"]
    for item in range(3):
        alone = iterate(
            Problem(terms=lambda x, i, n=item: {"f": known.value(x, i + n)}, weights={"f": 1.0}),
            LBFGS(),
            known.start[item : item + 1],
            max_steps=20,
            stop=STOP,
        ).history["objective"]
        torch.testing.assert_close(alone[:, 0], together[:, item], rtol=1e-9, atol=0)


@pytest.mark.parametrize(
    "method", [LBFGS(), Descent(optimizer=partial(torch.optim.Adam, lr=0.1))], ids=["lbfgs", "adam"]
)
@pytest.mark.parametrize("first", [0, 1, 7, 19])
def test_two_legs_equal_one_run_bit_for_bit(method: LBFGS | Descent, first: int) -> None:
    known = rosenbrock()
    never = LossConvergence(criterion=0.0, window=1000)
    go = partial(iterate, known.problem, method, known.start, stop=never)
    whole = go(max_steps=20)
    leg = go(max_steps=first)
    both = go(max_steps=20 - first, resume=leg)
    assert torch.equal(whole.points, both.points)
    for name, column in whole.history.items():
        assert torch.equal(column, both.history[name]), name


def test_history_is_measured_at_the_iterate_it_is_filed_under() -> None:
    known = rosenbrock()
    run = iterate(known.problem, LBFGS(), known.start, max_steps=15, stop=STOP, snapshot_every=1)
    assert run.n_steps == 15
    items = torch.arange(3)
    for number, points in run.snapshots.items():
        objective = run.history["objective"][number]
        torch.testing.assert_close(objective, known.value(points, items), rtol=1e-12, atol=0)
    moved = (run.snapshots[5] - run.snapshots[4]).norm(dim=1)
    torch.testing.assert_close(run.history["pixel_change_norm"][5], moved)


def test_every_item_stops_by_itself_and_then_stays() -> None:
    scale = torch.tensor([1.0, 100.0], dtype=torch.float64)

    def value(x: Tensor, items: Tensor) -> Tensor:
        steep = torch.logspace(0, 3, 6, dtype=torch.float64)
        return torch.where(items == 0, (x**2).sum(1), (steep * x**4 * scale[1]).sum(1))

    problem = Problem(terms=lambda x, i: {"f": value(x, i)}, weights={"f": 1.0})
    run = iterate(
        problem, LBFGS(), torch.ones(2, 6).double(), max_steps=300, stop=STOP, snapshot_every=1
    )
    ended = next(i for i, row in enumerate(run.history["objective"]) if row[0] < 1e-20)
    assert run.n_steps > ended + 10
    late = torch.stack([p[0] for n, p in run.snapshots.items() if n > ended + 12])
    assert bool((late == late[0]).all())


@pytest.mark.parametrize("method", [LBFGS(), Descent(optimizer=partial(torch.optim.SGD, lr=1.0))])
def test_nan_in_one_item_ends_that_item_alone(method: LBFGS | Descent) -> None:
    def value(x: Tensor, items: Tensor) -> Tensor:
        bad = torch.where(x < 0.95, torch.nan, x**2)
        return torch.where(items == 0, bad.sum(1), ((x - 3) ** 2).sum(1) / 4)

    problem = Problem(terms=lambda x, i: {"f": value(x, i)}, weights={"f": 1.0})
    run = iterate(problem, method, torch.ones(2, 3).double(), max_steps=50, stop=STOP)
    assert bool(torch.isfinite(run.points).all())
    torch.testing.assert_close(run.points[1], torch.full((3,), 3.0).double(), atol=1e-4, rtol=0)
    if isinstance(method, Descent):
        assert run.status[0] is Status.NOT_FINITE


def test_an_item_lost_to_nan_does_not_converge_in_a_later_leg() -> None:
    def value(x: Tensor, items: Tensor) -> Tensor:
        bad = torch.where(x < 0.95, torch.nan, x**2)
        return torch.where(items == 0, bad.sum(1), ((x - 3) ** 2).sum(1) / 4)

    problem = Problem(terms=lambda x, i: {"f": value(x, i)}, weights={"f": 1.0})
    method, start = Descent(optimizer=partial(torch.optim.SGD, lr=0.1)), torch.ones(2, 3).double()
    stop = LossConvergence(criterion=1e-6, window=3)
    whole = iterate(problem, method, start, max_steps=20, stop=stop)
    first = iterate(problem, method, start, max_steps=12, stop=stop)
    later = iterate(problem, method, start, max_steps=8, stop=stop, resume=first)
    assert whole.status == later.status == (Status.NOT_FINITE, Status.OUT_OF_STEPS)


def test_ctrl_c_keeps_what_was_done_and_the_run_can_go_on() -> None:
    known = rosenbrock()

    def press(history: History, _: object) -> None:
        if history.rows == 6:
            press_ctrl_c()

    with python_handles_ctrl_c():
        run = iterate(known.problem, LBFGS(), known.start, max_steps=100, stop=STOP, on_step=press)
    assert run.status == (Status.INTERRUPTED,) * 3
    assert run.n_steps == 5
    done = solve(known, resume=run)
    torch.testing.assert_close(done.points, known.answer, atol=1e-5, rtol=0)


def test_a_stop_rule_is_relative_to_the_objective() -> None:
    rule = LossConvergence(criterion=1e-2, window=2)
    for size in (1e-12, 1.0, 1e12):
        falling = size * torch.tensor([(9, 1), (3, 1), (2, 0.999)], dtype=torch.float64)
        assert rule(History({"objective": falling})) == [False, True]
        assert rule(History({"objective": falling[:2]})) == [False, False]


def test_a_history_hands_out_what_later_rows_leave_as_it_is() -> None:
    history = History(
        {"objective": torch.tensor([[3.0, 0.1]]), "moved": torch.tensor([[0.0, 1.0]])}
    )
    history.add({"objective": torch.tensor([2.0, 0.2]), "moved": torch.tensor([1.0, 4.0])})
    early = history.tensors()
    history.add({"objective": torch.tensor([1.0, 0.3]), "moved": torch.tensor([2.0, 9.0])})
    assert torch.equal(early["objective"], torch.tensor([[3.0, 0.1], [2.0, 0.2]]))
    assert torch.equal(history.tensors()["moved"], torch.tensor([[0.0, 1.0], [1, 4], [2, 9]]))
    for item, value in enumerate((2.0, 9.0)):
        assert history.value("moved", -1, item) == history.value("moved", 2, item) == value
    assert history.rows == 3


def test_a_row_that_is_broken_off_is_not_handed_out() -> None:
    history = History({"objective": torch.tensor([[3.0]]), "moved": torch.tensor([[0.0]])})
    with pytest.raises(RuntimeError):
        history.add({"objective": torch.tensor([2.0]), "moved": torch.ones((), device="meta")})
    assert history.rows == 1
    assert history.tensors()["objective"].tolist() == [[3.0]]


def test_an_item_that_waited_goes_on_as_it_does_alone() -> None:
    """In a later leg with a stricter rule, the steps in which an item only waited tell nothing of it."""
    scale = torch.tensor([1.0, 0.03], dtype=torch.float64)
    problem = Problem(
        terms=lambda x, items: {"f": scale[items] * (x**2).sum(1)}, weights={"f": 1.0}
    )
    method = Descent(optimizer=partial(torch.optim.SGD, lr=0.1))
    loose = LossConvergence(criterion=0.5, window=3)
    strict = LossConvergence(criterion=1e-9, window=3)

    def two_legs(which: slice) -> Run:
        ones = torch.ones(2, 3, dtype=torch.float64)[which]
        own = Problem(
            terms=lambda x, items: problem.terms(x, torch.arange(2)[which][items]),
            weights={"f": 1.0},
        )
        first = iterate(own, method, ones, max_steps=60, stop=loose)
        return iterate(own, method, ones, max_steps=20, stop=strict, resume=first)

    together, fast, slow = two_legs(slice(0, 2)), two_legs(slice(0, 1)), two_legs(slice(1, 2))
    assert together.status == fast.status + slow.status
    torch.testing.assert_close(together.points, torch.cat([fast.points, slow.points]))
