"""Seeds are provenance: each item of each seed starts elsewhere, and objects without a seed get one."""

import ast
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import stimsynth
from stimsynth import (
    Eigendistortion,
    Gaussian,
    Geodesic,
    MADCompetition,
    Metamer,
    MetamerCTF,
    OptimizedImage,
    PortillaSimoncelli,
    SimpleMetamer,
    images,
    mad_set,
    remove_grad,
    set_seed,
)
from stimsynth.losses import mse
from stimsynth.numerics.generators import generator_for

PACKAGE = Path(stimsynth.__file__).parent
PICTURES = torch.cat([images.load(name, size=16) for name in ("camera", "grass", "brick")])


def blur() -> torch.nn.Module:
    return remove_grad(Gaussian(3))


def l1(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).abs().mean()


#: Name to a function of a seed that makes an object, and one from the object to where its items start.
STARTS: dict[str, tuple[Callable[[int | None], Any], Callable[[Any], Tensor]]] = {
    "Metamer": (lambda s: Metamer(PICTURES, blur(), seed=s), lambda m: m.metamer),
    "SimpleMetamer": (lambda s: SimpleMetamer(PICTURES, blur(), seed=s), lambda m: m.metamer),
    "MetamerCTF": (
        lambda s: MetamerCTF(PICTURES, PortillaSimoncelli((16, 16), 2, 2, 3), seed=s),
        lambda m: m.metamer,
    ),
    "MADCompetition": (
        lambda s: MADCompetition(PICTURES, mse, l1, "min", seed=s, allowed_range=(-9, 9)),
        lambda m: m.initial_image - PICTURES,
    ),
    "mad_set": (
        lambda s: mad_set(PICTURES, mse, l1, seed=s, max_iter=0, allowed_range=(-9, 9))[0],
        lambda level: level.initial_image - PICTURES,
    ),
    "Geodesic": (
        lambda s: Geodesic(PICTURES[:1], PICTURES[1:2], blur(), 3, "bridge", seed=s, n_starts=3),
        lambda g: g.interior,
    ),
    "Eigendistortion": (
        lambda s: Eigendistortion(PICTURES, blur(), seed=s),
        lambda e: (e.synthesize(max_iter=2), torch.stack([k.basis[0] for k in e._krylov]))[1],
    ),
}


def start(name: str, seed: int | None) -> Tensor:
    make, starts = STARTS[name]
    return starts(make(seed)).detach().clone()


@pytest.mark.parametrize("name", STARTS)
def test_no_two_items_of_any_seeds_start_alike(name: str) -> None:
    every = [item for seed in (0, 1, 2, 2**32, -1) for item in start(name, seed)]
    for one, other in combinations(every, 2):
        assert (one == other).double().mean() < 0.05
    assert torch.equal(start(name, 1), start(name, 1))


@pytest.mark.parametrize("name", STARTS)
def test_no_start_is_what_torch_draws_for_that_seed(name: str) -> None:
    """A target that was made by ``torch.manual_seed(0); torch.rand(…)`` is not where seed 0 starts."""
    for seed in (0, 1):
        begun = start(name, seed)
        for draw in (torch.rand, torch.randn):
            torch.manual_seed(seed)
            drawn = draw(begun.shape)
            scaled = drawn * (begun.std() / drawn.std())
            for theirs in (drawn, drawn.flip(0), scaled):
                assert (begun - theirs).abs().max() > 1e-3


@pytest.mark.parametrize("name", STARTS)
def test_without_a_seed_objects_differ_and_set_seed_makes_them_again(name: str) -> None:
    make, starts = STARTS[name]
    set_seed(5)
    first, second = make(None), make(None)
    set_seed(5)
    again = make(None)
    assert first.seed == again.seed != second.seed
    begun, other, repeated = (starts(each).detach().clone() for each in (first, second, again))
    assert torch.equal(begun, repeated)
    assert not torch.equal(begun, other)
    assert torch.equal(begun, start(name, first.seed))  # what it says is what it used


@pytest.mark.parametrize("name", STARTS)
def test_with_a_seed_nothing_is_drawn_from_the_global_state(name: str) -> None:
    before = torch.get_rng_state()
    start(name, 3)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Metamer(PICTURES, blur(), initial_image=PICTURES.flip(-1)),
        lambda: MADCompetition(PICTURES, mse, l1, "min", initial_image=PICTURES.flip(-1)),
        lambda: Geodesic(PICTURES[:1], PICTURES[1:2], blur(), 3),
        lambda: OptimizedImage(PICTURES, torch.mean),
    ],
    ids=["Metamer", "MADCompetition", "Geodesic", "OptimizedImage"],
)
def test_a_start_that_was_given_has_no_seed(make: Callable[[], Any]) -> None:
    before = torch.get_rng_state()
    assert make().seed is None
    assert torch.equal(torch.get_rng_state(), before)


def test_streams_of_a_purpose_seed_and_number_are_all_different() -> None:
    told = [("a", 0), ("a", 1), ("b", 0), ("a", 0, 0), ("a", 0, 1), ("a", 2**32), ("a", -1)]
    drawn = [torch.rand(4, generator=generator_for(*each)) for each in told]  # type: ignore[arg-type]
    assert all(not bool((x == y).any()) for x, y in combinations(drawn, 2))
    many = torch.rand(10_000, generator=generator_for("a", 0), dtype=torch.float64)
    assert many.mean().item() == pytest.approx(0.5, abs=0.02)
    assert many.var().item() == pytest.approx(1 / 12, rel=0.05)


def test_generators_are_made_in_one_place() -> None:
    """Seeds reach torch through `generator_for`, and nowhere else."""
    makers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("manual_seed", "default_rng", "RandomState")
    }
    assert makers == {"numerics/generators.py", "seeding.py"}
