"""An item whose slope is NaN or infinite ends and says so, never as converged; the others go on."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stimsynth import (
    Eigendistortion,
    Geodesic,
    MADCompetition,
    Metamer,
    MetamerCTF,
    OptimizedImage,
    SimpleMetamer,
    images,
    mad_set,
    metrics,
)
from stimsynth.engine.constrained.descent import Constrained
from stimsynth.engine.descent import Descent
from stimsynth.engine.lbfgs import LBFGS
from stimsynth.engine.loop import iterate
from stimsynth.engine.problem import Held, Problem
from stimsynth.engine.run import Run, Status
from stimsynth.engine.staged import OnLastStage, Staged, Stages
from stimsynth.engine.stop import LossConvergence
from stimuli_store.errors import InputError

STOP = LossConvergence(criterion=1e-6, window=3)
BEST = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
START = torch.tensor([[0.1, 0.3, 0.2], [0.1, 0.3, 0.2]], dtype=torch.float64)
SGD = Descent(optimizer=partial(torch.optim.SGD, lr=0.1))
# An optimizer that looks at all items at once: one that is lost must not spoil its sums.
TOGETHER = Descent(
    optimizer=partial(torch.optim.LBFGS, lr=0.5, max_iter=2, line_search_fn="strong_wolfe")
)


def edged(x: Tensor, edge: float | Tensor) -> Tensor:
    """Return 0, with a slope of 0 below an edge, and of NaN from there on."""
    return 0 * ((edge - x) * (x < edge)).sqrt()


def halves(edge: float) -> Problem:
    """Return two problems with one minimum, at (1, 0, 0): the first has no slope from `edge` on."""

    def terms(points: Tensor, items: Tensor) -> dict[str, Tensor]:
        edges = torch.tensor([edge, 99.0], dtype=torch.float64)[items].unsqueeze(1)
        return {"f": ((points - BEST) ** 2 + edged(points, edges)).sum(1)}

    return Problem(terms=terms, weights={"f": 1.0})


def on_a_sphere(edge: float) -> Problem:
    """Return the same where Σx² is held."""
    held = Held(
        terms=lambda x, _: {"square": (x**2).sum(1)},
        targets={"square": START.square().sum(1)},
    )
    plain = halves(edge)
    return Problem(terms=plain.terms, weights=plain.weights, held=held)


def staged(edge: float) -> Stages:
    plain = halves(edge)
    return Stages(terms=plain.terms, weights=plain.weights, parts=[plain, plain])


METHODS: dict[str, tuple[Any, Callable[[float], Any], Any]] = {
    "L-BFGS": (LBFGS(), halves, STOP),
    "L-BFGS in bounds": (LBFGS(bounds=(0.0, 2.0)), halves, STOP),
    "plain descent": (SGD, halves, STOP),
    "one optimizer for all items": (TOGETHER, halves, STOP),
    "constrained": (Constrained(), on_a_sphere, STOP),
    "in stages": (
        Staged(inner=LBFGS(), criterion=None, window=2),
        staged,
        OnLastStage(rule=STOP, at_least=3),
    ),
}
#: Methods that shorten a step to a point without a gradient.
SEARCHING = ("L-BFGS", "L-BFGS in bounds", "constrained", "in stages")


def run_of(name: str, edge: float) -> Run:
    method, problem, stop = METHODS[name]
    return iterate(problem(edge), method, START, max_steps=100, stop=stop)


@pytest.mark.parametrize("edge", [0.25, 0.35], ids=["at the start", "on the way"])
@pytest.mark.parametrize("name", METHODS)
def test_an_item_without_slope_ends_alone(name: str, edge: float) -> None:
    run, whole = run_of(name, edge), run_of(name, 99.0)
    assert run.status[0] is Status.NOT_FINITE
    assert "gradient" in run.status[0].value
    assert run.status[1] in (Status.CONVERGED, Status.PRECISE)
    torch.testing.assert_close(run.points[1], whole.points[1], atol=1e-3, rtol=0)
    assert bool(torch.isfinite(run.points).all())
    assert bool(torch.isfinite(run.history["objective"]).all())
    lost = ~torch.isfinite(run.history["gradient_norm"])
    assert not bool(lost[:, 1].any())
    if name in SEARCHING and edge == 0.35:  # no step is taken over the edge
        assert not bool(lost.any())
        assert 0.34 < float(run.points[0, 0]) < edge
        return
    first = int(lost[:, 0].nonzero()[0])
    assert first == 0 if edge == 0.25 else first > 0
    assert bool((run.history["pixel_change_norm"][first + 1 :, 0] == 0).all())  # it stays there


@pytest.mark.parametrize("name", ["L-BFGS", "L-BFGS in bounds", "constrained"])
def test_an_item_with_a_finite_loss_at_its_start_only_has_not_converged(name: str) -> None:
    method, problem, stop = METHODS[name]
    whole = problem(99.0)

    def terms(points: Tensor, items: Tensor) -> dict[str, Tensor]:
        left = (points.detach() != START[items]).any(1) & (items == 0)
        return {"f": whole.terms(points, items)["f"] + torch.where(left, torch.nan, 0.0)}

    alone = replace(whole, terms=terms)
    run = iterate(alone, method, START, max_steps=100, stop=stop)
    assert run.status[0] is Status.NOT_FINITE
    assert run.status[1] in (Status.CONVERGED, Status.PRECISE)
    assert torch.equal(run.points[0], START[0])


def test_an_item_without_slope_stays_lost_in_a_later_leg() -> None:
    never = LossConvergence(criterion=0.0, window=1000)
    go = partial(iterate, halves(0.35), SGD, START, stop=never)
    first = go(max_steps=10)
    later = go(max_steps=10, resume=first)
    assert first.status == later.status == (Status.NOT_FINITE, Status.OUT_OF_STEPS)
    assert torch.equal(later.points[0], first.points[0])


def test_on_a_kink_the_slopes_to_its_sides_count() -> None:
    """|d|^½ has an infinite slope at 0, where the sparsest images of a given Σ|d| rest: no failure there."""
    reference = torch.full((1, 1, 1, 6), 0.5, dtype=torch.float64)
    start = reference + torch.tensor([0.3, 0.1, 0.05, -0.2, 0.1, 0.02], dtype=torch.float64)

    def distance(x: Tensor, power: float) -> Tensor:
        return ((x - reference).abs() ** power).flatten(1).sum(1)

    held = Held(terms=lambda x, _: {"sum": distance(x, 1.0)}, targets={"sum": distance(start, 1.0)})
    problem = Problem(
        terms=lambda x, _: {"f": distance(x, 0.5)},
        weights={"f": 1.0},
        held=held,
        nonsmooth_at=reference,
    )
    run = iterate(problem, Constrained(), start, max_steps=100, stop=STOP)
    assert run.status[0] in (Status.CONVERGED, Status.PRECISE)
    torch.testing.assert_close(
        run.history["f"][-1], distance(start, 1.0).sqrt()
    )  # one value, d = 0.77


# -- the classes -----------------------------------------------------------------------------------

DARK, IMAGE = torch.zeros(1, 1, 16, 16).double(), images.load("camera", size=16).double()
OTHER = images.load("grass", size=16).double() * 0.4 + 0.3
BOTH = torch.cat([DARK, IMAGE * 0.5 + 0.25])  # the first has no slope anywhere
LIKE = IMAGE * 0.4 + 0.3


class Root(nn.Module):
    """The model √x with two scales: a part of the image, and all of it."""

    scales = ("part", "rest")

    def forward(self, x: Tensor, scales: list[str] | None = None) -> Tensor:
        return x.sqrt() if scales is None or "rest" in scales else x.sqrt()[..., :8]


def root_distance(x: Tensor, y: Tensor) -> Tensor:
    return (x.sqrt() - y.sqrt()).square().mean()


def halving(x: Tensor) -> Tensor:
    return x.sqrt().mean()


CLASSES: dict[str, Callable[[], Any]] = {
    "Metamer": lambda: Metamer(LIKE, Root(), initial_image=BOTH),
    "MetamerCTF": lambda: MetamerCTF(LIKE, Root(), initial_image=BOTH),
    "OptimizedImage": lambda: OptimizedImage(BOTH, halving),
    "OptimizedImage, held": lambda: OptimizedImage(BOTH, halving, held={"mean": (torch.mean, 0.5)}),
    "MADCompetition, pushed": lambda: MADCompetition(
        torch.cat([OTHER, OTHER]), root_distance, metrics.mse, "min", initial_image=BOTH
    ),
    "MADCompetition, held": lambda: MADCompetition(
        torch.cat([OTHER, OTHER]), metrics.mse, root_distance, "max", initial_image=BOTH
    ),
    "MADCompetition, weighed": lambda: MADCompetition(
        torch.cat([OTHER, OTHER]),
        *(root_distance, metrics.mse, "min", 0.1, 1.0),
        initial_image=BOTH,
    ),
}
ADAM = torch.optim.Adam
RUNS = [(name, None) for name in CLASSES] + [
    (name, ADAM) for name in ("Metamer", "MetamerCTF", "OptimizedImage", "MADCompetition, weighed")
]


@pytest.mark.parametrize(("name", "optimizer"), RUNS)
def test_a_class_says_which_item_has_no_slope(name: str, optimizer: Any) -> None:
    synthesis = CLASSES[name]()
    with pytest.raises(
        InputError, match=r"gradient of the objective is NaN or infinite for images \[0\]"
    ):
        synthesis.synthesize(6, optimizer)
    assert synthesis.status[0] is Status.NOT_FINITE
    assert synthesis.status[1] is not Status.NOT_FINITE
    assert len(synthesis.losses) > 1  # the other item went on
    assert synthesis.losses[-1, 1] < synthesis.losses[0, 1]
    with pytest.raises(InputError, match=r"images \[0\]"):
        synthesis.synthesize(2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_step_that_is_too_long_is_shortened_where_it_costs_the_slope(dtype: torch.dtype) -> None:
    """The target has a slope, and the way to it from noise has; single pixels would step to 0."""
    metamer = Metamer((0.3 * IMAGE + 0.01).to(dtype), Root(), seed=3)
    metamer.synthesize(200)
    assert metamer.losses[-1] < 1e-9 * metamer.losses[0]
    assert bool(torch.isfinite(metamer.gradient_norm).all())


@pytest.mark.parametrize("make", [Metamer, SimpleMetamer])
@pytest.mark.parametrize("optimizer", [None, torch.optim.Adam])
def test_a_run_that_meets_an_infinite_slope_has_not_converged(make: Any, optimizer: Any) -> None:
    """Pixels are pulled to 0, where √x has no slope; Adam steps past the target to there."""
    dark = torch.zeros(1, 1, 8, 8)
    synthesis = make(dark if optimizer is None else dark + 1e-4, Root())
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "Loss has converged", before
        with pytest.raises(InputError, match=r"gradient|NaN"):
            synthesis.synthesize(400, optimizer)


@pytest.mark.parametrize("make", [Metamer, SimpleMetamer])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_target_near_an_infinite_slope_is_reached(make: Any, dtype: torch.dtype) -> None:
    """All pixels step towards 0 many times in a row, and the target has a slope."""
    synthesis = make(torch.full((1, 1, 8, 8), 1e-4, dtype=dtype), Root())
    synthesis.synthesize(400)
    assert synthesis.losses[-1] < 1e-9 * synthesis.losses[0]


def test_a_loss_that_is_low_enough_is_enough_on_the_way_to_an_infinite_slope() -> None:
    metamer = Metamer(torch.zeros(1, 1, 8, 8), Root())
    with pytest.warns(UserWarning, match="converged"):
        metamer.synthesize(400, stop_loss=1e-4)
    assert metamer.status == (Status.CONVERGED,)
    with pytest.raises(
        InputError, match="infinite beside the image, where the loss would be lower"
    ):
        Metamer(torch.zeros(1, 1, 8, 8), Root()).synthesize(400)


class Contrast(nn.Module):
    """The root-mean-square contrast: 0 of a grey field, with the slope of √0."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean((-1, -2), keepdim=True)).square().mean((-1, -2)).sqrt()


def contrast(x: Tensor) -> Tensor:
    return Contrast()(x).sum()


def contrasts(x: Tensor, y: Tensor) -> Tensor:
    return (Contrast()(x) - Contrast()(y)).square().sum()


FLAT = torch.full_like(IMAGE, 0.5)
STARTS: dict[str, Callable[[Tensor], Any]] = {
    "Metamer": lambda x: Metamer(IMAGE, Contrast(), initial_image=x),
    "Metamer, of a representation": lambda x: Metamer(
        None, Contrast(), initial_image=x, target_representation=torch.ones(1, 1)
    ),
    "Metamer, penalty": lambda x: Metamer(
        IMAGE, nn.Identity(), initial_image=x, penalties=[contrast]
    ),
    "Eigendistortion": lambda x: Eigendistortion(x, Contrast()),
    "Geodesic": lambda x: Geodesic(
        *(
            torch.cat([x[..., :1] - x.min(), y[..., 1:]], dim=-1) + 0.2 * (x != 0.5)
            for y in (LIKE, OTHER)
        ),
        *(Root(), 3),
    ),
    "OptimizedImage": lambda x: OptimizedImage(x, contrast),
    "OptimizedImage, held": lambda x: OptimizedImage(x, torch.mean, held={"contrast": contrast}),
    "OptimizedImage, penalty": lambda x: OptimizedImage(x, torch.mean, penalties=[contrast]),
    "MADCompetition, pushed": lambda x: MADCompetition(
        IMAGE, contrasts, metrics.mse, "max", initial_image=x
    ),
    "MADCompetition, held": lambda x: MADCompetition(
        IMAGE, metrics.mse, contrasts, "max", initial_image=x
    ),
    "MADCompetition, weighed": lambda x: MADCompetition(
        IMAGE, contrasts, metrics.mse, "max", 0.1, 1.0, initial_image=x
    ),
}


@pytest.mark.parametrize("name", STARTS)
def test_a_start_without_a_slope_is_told_at_once(name: str) -> None:
    make = STARTS[name]
    sentence = r"gradient of \w+ is NaN or infinite at this image; .*: use another image, or add"
    with pytest.warns(UserWarning, match=sentence):
        make(FLAT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(OTHER)
        with torch.no_grad():
            make(OTHER)


def test_a_loss_that_is_not_finite_at_the_start_is_said_to_be_so() -> None:
    def far(x: Tensor, y: Tensor) -> Tensor:
        return ((x - y).square().mean() + 1e-30).log() + ((x - y).abs().max() > 0) * torch.inf

    metamer = Metamer(IMAGE, nn.Identity(), far)
    with pytest.raises(InputError, match="the loss is NaN or infinite at the start; use another"):
        metamer.synthesize(2)


def test_of_a_set_the_members_with_a_slope_go_on() -> None:
    """Noise leaves many pixels of a dark half at 0, where the first metric has no slope."""
    half = torch.cat([DARK[..., 8:, :] + 0.01, LIKE[..., 8:, :]], dim=-2)
    pair = torch.cat([half, LIKE])
    (level,) = mad_set(pair, root_distance, metrics.mse, [0.02], max_iter=3)
    for member in level.members.values():
        assert member.status[0] is Status.NOT_FINITE
        assert member.status[1] is not Status.NOT_FINITE
        assert bool(torch.isfinite(member.image).all())


def test_of_several_paths_those_with_a_slope_go_on() -> None:
    class Edged(nn.Module):
        """The identity, with no slope above an edge."""

        def forward(self, x: Tensor) -> Tensor:
            return x + edged(x, edge)

    edge = 99.0
    geo = Geodesic(LIKE, OTHER, Edged(), 5, "bridge", n_starts=2)
    tops = geo.geodesics[:, 1:-1].amax((1, 2, 3, 4))
    edge = float(tops.mean())
    with pytest.raises(InputError, match="gradient of the objective is NaN or infinite for images"):
        geo.synthesize(5)
    lost = int(tops.argmax())
    assert geo.status[lost] is Status.NOT_FINITE
    assert geo.losses[-1, 1 - lost] < geo.losses[0, 1 - lost]
