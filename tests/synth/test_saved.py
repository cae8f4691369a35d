"""Files of every synthesis class: what they hold, what is refused, and what loads them."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stimsynth import (
    Eigendistortion,
    Gaussian,
    Geodesic,
    LoadWarning,
    MADCompetition,
    Metamer,
    MetamerCTF,
    OptimizedImage,
    PortillaSimoncelli,
    examine_saved_synthesis,
    images,
    remove_grad,
)
from stimsynth.engine.descent import Descent
from stimsynth.engine.lbfgs import LBFGS
from stimsynth.losses import l2_norm, mse
from stimuli_store.errors import ArchiveError, InputError

PICTURE, OTHER = (images.load(name, size=16).double() for name in ("camera", "grass"))


def blur(std: float = 1.0) -> nn.Module:
    return remove_grad(Gaussian(5, std).double())


def texture(n_orientations: int = 2) -> nn.Module:
    return PortillaSimoncelli((16, 16), 2, n_orientations, 3).double()


def l1(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).abs().mean()


def energy(x: Tensor) -> Tensor:
    return x.square().mean()


def spread(x: Tensor) -> Tensor:
    return x.var()


def valley(x: Tensor) -> Tensor:
    """Rosenbrock's valley (1960) upside down: no method is done with it soon."""
    ahead, behind = x[..., 1:], x[..., :-1]
    return -(100 * (ahead - behind**2) ** 2 + (1 - behind) ** 2).sum()


def above(x: Tensor) -> Tensor:
    return (x - 1).clamp_min(0).sum()


def below(x: Tensor) -> Tensor:
    return (-x).clamp_min(0).sum()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A class, how it is made, and each argument with a value under which a file is of another synthesis."""

    kind: type
    settings: Mapping[str, Any]
    others: Mapping[str, Any]
    functions: Mapping[str, Any] = field(default_factory=dict)
    looked_at: tuple[str, ...] = ()
    begin: Callable[[Any], None] = lambda made: made.synthesize(4)

    def make(self, **changes: Any) -> Any:
        return self.kind(**{**self.settings, **changes})


PENALTIES = [(0.01, energy)]
CASES = {
    "Metamer": Case(
        kind=Metamer,
        settings={"image": PICTURE, "model": blur(), "seed": 3, "penalties": PENALTIES},
        others={
            "image": OTHER,
            "range_penalty_lambda": 0.7,
            "allowed_range": (-1, 2),
            "penalties": [(0.5, energy)],
        },
        functions={"model": blur(1.2), "loss_function": l2_norm, "penalties": [(0.01, spread)]},
        looked_at=("image", "metamer", "target_representation"),
    ),
    "MetamerCTF": Case(
        kind=MetamerCTF,
        settings={"image": PICTURE, "model": texture(), "seed": 3, "penalties": PENALTIES},
        others={
            "image": OTHER,
            "allowed_range": (-1, 2),
            "penalties": [(0.5, energy)],
            "coarse_to_fine": "separate",
        },
        functions={"model": texture(3), "loss_function": l2_norm},
        looked_at=("image", "metamer", "coarse_to_fine"),
    ),
    "MADCompetition": Case(
        kind=MADCompetition,
        settings={
            "image": PICTURE,
            "optimized_metric": l1,
            "reference_metric": mse,
            "minmax": "min",
            "seed": 3,
            "penalties": PENALTIES,
        },
        others={
            "image": OTHER,
            "minmax": "max",
            "metric_tradeoff_lambda": 3.0,
            "range_penalty_lambda": 0.7,
            "allowed_range": (-1, 2),
            "penalties": {"energy": (0.5, energy)},
        },
        functions={"optimized_metric": l2_norm, "reference_metric": l2_norm},
        looked_at=("image", "mad_image", "initial_image", "minmax", "metric_tradeoff_lambda"),
    ),
    "OptimizedImage": Case(
        kind=OptimizedImage,
        settings={
            "initial_image": PICTURE,
            "objective": spread,
            "held": {"mean": torch.mean, "energy": (energy, 0.3)},
            "penalties": {"above": above},
        },
        others={
            "minmax": "min",
            "allowed_range": (-1, 2),
            "held": {"mean": torch.mean, "energy": (energy, 0.2)},
            "penalties": {"above": (2.0, above)},
        },
        functions={"objective": energy, "penalties": {"above": below}},
        looked_at=("image", "initial_image"),
    ),
    "Geodesic": Case(
        kind=Geodesic,
        settings={
            "image_a": PICTURE,
            "image_b": OTHER,
            "model": blur(),
            "n_steps": 3,
            "initial_sequence": "bridge",
            "seed": 3,
            "penalties": PENALTIES,
        },
        others={
            "image_b": PICTURE.flip(-1),
            "range_penalty_lambda": 0.7,
            "allowed_range": (-1, 2),
            "penalties": [(0.5, energy)],
        },
        functions={"model": blur(1.2)},
        looked_at=("image_a", "image_b", "geodesic", "initial_sequence", "n_steps"),
    ),
    "Eigendistortion": Case(
        kind=Eigendistortion,
        settings={"image": PICTURE, "model": blur(), "seed": 3},
        others={"image": OTHER},
        functions={"model": blur(1.2)},
        looked_at=("image", "eigendistortions", "eigenvalues"),
        begin=lambda made: made.synthesize(max_iter=12),
    ),
}
OPTIMIZED = [name for name in CASES if name != "Eigendistortion"]
ALIKE = ("allowed_range", "range_penalty_lambda", "losses", "status")


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    return bool(one == other)


def check_alike(case: Case, one: Any, other: Any) -> None:
    names = [*case.looked_at, "seed", *(name for name in ALIKE if hasattr(one, name))]
    for name in names:
        assert same(getattr(one, name), getattr(other, name)), name


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("begun", [False, True], ids=["at its start", "begun"])
def test_seed_and_start_come_back_into_an_object_of_another_seed(
    tmp_path: Path, name: str, begun: bool
) -> None:
    case = CASES[name]
    whole, first = case.make(), case.make()
    later = case.make(**({"seed": 8} if "seed" in case.settings else {"initial_image": OTHER}))
    if begun:
        case.begin(first)
    first.save(tmp_path / "s.h5")
    assert later.load(tmp_path / "s.h5") is None
    check_alike(case, later, first)
    assert later.seed == case.settings.get("seed")
    for each in (first, later):
        case.begin(each)
    check_alike(case, later, first)
    if name == "Metamer" and begun:
        whole.synthesize(8)
        check_alike(case, later, whole)


@pytest.mark.parametrize(("name", "argument"), [(n, a) for n, c in CASES.items() for a in c.others])
def test_a_file_of_other_settings_is_refused_by_name(
    tmp_path: Path, name: str, argument: str
) -> None:
    case = CASES[name]
    case.make().save(tmp_path / "s.h5")
    other = case.make(**{argument: case.others[argument]})
    before = dict(vars(other))
    with pytest.raises(InputError, match=argument):
        other.load(tmp_path / "s.h5")
    assert vars(other) == before


@pytest.mark.parametrize(
    ("name", "argument"), [(n, a) for n, c in CASES.items() for a in c.functions]
)
def test_a_file_of_other_functions_is_refused(tmp_path: Path, name: str, argument: str) -> None:
    case = CASES[name]
    case.make().save(tmp_path / "s.h5")
    other = case.make(**{argument: case.functions[argument]})
    with pytest.raises(InputError, match="differ"):
        other.load(tmp_path / "s.h5")


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("begun", [False, True], ids=["at its start", "begun"])
def test_without_checks_an_object_becomes_what_was_saved_whole(
    tmp_path: Path, name: str, begun: bool
) -> None:
    """Everything about it was different; but for its functions it goes on as the saved one does."""
    case = CASES[name]
    first, other = case.make(), case.make(**case.others)
    if begun:
        case.begin(first)
    first.save(tmp_path / "s.h5")
    with pytest.warns(LoadWarning, match="differ") as told:
        other.load(tmp_path / "s.h5", raise_on_checks=False)
    assert len(told) >= len(case.others)
    check_alike(case, other, first)
    for each in (first, other):
        case.begin(each)
    check_alike(case, other, first)


@pytest.mark.parametrize("name", OPTIMIZED)
def test_penalties_of_another_number_are_refused_whatever_the_checks(
    tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    if "penalties" not in case.settings:
        return
    case.make().save(tmp_path / "s.h5")
    other = case.make(penalties={})
    before = dict(vars(other))
    with (
        pytest.warns(LoadWarning),
        pytest.raises(InputError, match="1 penalties and this object has 0"),
    ):
        other.load(tmp_path / "s.h5", raise_on_checks=False)
    assert vars(other) == before


@pytest.mark.parametrize("name", OPTIMIZED)
def test_penalties_that_are_zero_at_the_start_are_told_apart(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    case.make(penalties={"mine": above}).save(tmp_path / "s.h5")
    case.make(penalties={"mine": above}).load(tmp_path / "s.h5")
    with pytest.raises(InputError, match="penalties"):
        case.make(penalties={"mine": below}).load(tmp_path / "s.h5")


@pytest.mark.parametrize("name", ["Metamer", "MetamerCTF"])
@pytest.mark.parametrize("shape", [(1,), (1, 1)])
def test_losses_of_one_element_are_one_whatever_their_shape(
    tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    def loss(a: Tensor, b: Tensor) -> Tensor:
        return mse(a, b)

    plain = CASES[name].make(loss_function=loss)
    plain.synthesize(3)
    plain.save(tmp_path / "s.h5")

    def loss(a: Tensor, b: Tensor) -> Tensor:  # type: ignore[no-redef]
        return mse(a, b).reshape(shape)

    shaped = CASES[name].make(loss_function=loss)
    shaped.load(tmp_path / "s.h5")
    assert torch.equal(shaped.losses, plain.losses)
    shaped.synthesize(2)


@pytest.mark.parametrize("name", CASES)
def test_a_class_of_ones_own_loads_files_of_its_parent_and_its_own(
    tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    mine = type("Mine", (case.kind,), {})
    first, second, third = case.make(), *(mine(**case.settings) for _ in range(2))
    case.begin(first)
    first.save(tmp_path / "parent.h5")
    second.load(tmp_path / "parent.h5")
    second.save(tmp_path / "mine.h5")
    third.load(tmp_path / "mine.h5")
    check_alike(case, third, first)
    with pytest.raises(ValueError, match="holds a Mine"):
        case.make().load(tmp_path / "mine.h5")


@pytest.mark.parametrize("name", CASES)
def test_the_file_says_seed_class_and_what_it_was_made_with(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    CASES[name].make().save(tmp_path / "s.h5")
    capsys.readouterr()
    examine_saved_synthesis(tmp_path / "s.h5")
    said = capsys.readouterr().out
    assert said.startswith(f"{name}, made with stimsynth ")
    assert f"torch {torch.__version__}" in said
    assert f"origins.seed: {CASES[name].settings.get('seed')}\n" in said


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_name_that_the_terminal_cannot_show_does_not_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    run = Metamer(torch.rand(1, 1, 8, 8), nn.Identity(), penalties={"größe→": torch.var})
    run.save(tmp_path / "s.h5")
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr("sys.stdout", terminal)
    examine_saved_synthesis(tmp_path / "s.h5")
    terminal.seek(0)
    assert ("größe→" if encoding == "utf-8" else r"e\u2192") in terminal.read()


# -- what is no such file --------------------------------------------------------------------------


def empty(path: Path) -> None:
    path.write_bytes(b"")


def junk(path: Path) -> None:
    path.write_bytes(b"junk")


def of_torch(path: Path) -> None:
    torch.save({"a": 1}, path)


def of_another_class(path: Path) -> None:
    type("Other", (Metamer,), {})(PICTURE, blur()).save(path)


def nothing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize("make", [empty, junk, of_torch, of_another_class, nothing])
@pytest.mark.parametrize("name", CASES)
def test_what_is_no_file_of_this_class_is_refused_and_changes_nothing(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    made = CASES[name].make()
    before = dict(vars(made))
    make(tmp_path / "s.h5")
    with pytest.raises(ArchiveError, match=r"s\.h5"):
        made.load(tmp_path / "s.h5")
    assert vars(made) == before
    with pytest.raises(InputError, match="no folder"):
        made.save(tmp_path / "none" / "s.h5")


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of_the_callers_images_is_nothing_to_the_file(
    tmp_path: Path, name: str
) -> None:
    """A script that uses its image again for the next stimulus can still load the first."""
    case = CASES[name]
    given = {key: x for key, x in case.settings.items() if isinstance(x, Tensor)}
    mine = {key: x.clone() for key, x in given.items()}
    first = case.make(**mine)
    case.begin(first)
    for image in mine.values():
        image.copy_(image.flip(-1))
    first.save(tmp_path / "s.h5")
    later = case.make()
    later.load(tmp_path / "s.h5")
    check_alike(case, later, first)


# -- the optimizer and the scheduler that a run began with -----------------------------------------

STEP = partial(torch.optim.lr_scheduler.StepLR, step_size=2, gamma=0.5)
EXPONENTIAL = partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.9)


class Adam(torch.optim.Adam):
    """An optimizer of one's own that has the name of one of torch's."""


class Mine(Descent):
    """A method of one's own, with an optimizer of torch."""


class Bounded(LBFGS):
    """A method of one's own, with settings."""


def in_sequence(*factories: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def make(optimizer: Any) -> Any:
        made = [factory(optimizer) for factory in factories]
        return torch.optim.lr_scheduler.SequentialLR(optimizer, made, milestones=[3])

    return make


#: What a run began with, and what it is offered when it is to go on.
WRONG = {
    "another scheduler": ((torch.optim.Adam, STEP), (torch.optim.Adam, EXPONENTIAL)),
    "a scheduler with other settings": (
        (torch.optim.Adam, STEP),
        (torch.optim.Adam, partial(torch.optim.lr_scheduler.StepLR, step_size=3, gamma=0.5)),
    ),
    "no scheduler": ((torch.optim.Adam, STEP), (torch.optim.Adam, None)),
    "nothing": ((torch.optim.Adam, STEP), (None, None)),
    "another optimizer": ((torch.optim.Adam, STEP), (partial(torch.optim.SGD, lr=0.1), STEP)),
    "schedulers in another order": (
        (torch.optim.Adam, in_sequence(STEP, EXPONENTIAL)),
        (torch.optim.Adam, in_sequence(EXPONENTIAL, STEP)),
    ),
    "torch's of that name": ((Adam, None), (torch.optim.Adam, None)),
    "one it can make itself": ((torch.optim.Adam, None), (torch.optim.Adam, None)),
    "torch's own in place of a method": (
        (Mine(optimizer=torch.optim.Adam), None),
        (torch.optim.Adam, None),
    ),
    "a method with other settings": (
        (Bounded(bounds=(0.0, 1.0)), None),
        (Bounded(bounds=(0.0, 1.0), memory=3), None),
    ),
}
ADAM_FREE = {
    "MADCompetition": {"metric_tradeoff_lambda": 1.0},
    "OptimizedImage": {"held": {}, "objective": valley},
}


@pytest.mark.filterwarnings("ignore:The epoch parameter")  # torch's own SequentialLR
@pytest.mark.parametrize("name", OPTIMIZED)
@pytest.mark.parametrize("kind", WRONG)
def test_a_run_refuses_what_it_did_not_begin_with(tmp_path: Path, name: str, kind: str) -> None:
    make = partial(CASES[name].make, **ADAM_FREE.get(name, {}))
    (optimizer, scheduler), wrong = WRONG[kind]
    whole, first, later = make(), make(), make()
    for run, steps in ((whole, 5), (first, 3)):
        run.synthesize(steps, optimizer=optimizer, scheduler=scheduler)
    first.save(tmp_path / "s.h5")
    later.load(tmp_path / "s.h5")
    with pytest.raises(InputError):
        later.synthesize(2, optimizer=wrong[0], scheduler=wrong[1])
    assert torch.equal(later.losses, first.losses)
    if kind == "one it can make itself":
        later.synthesize(2)
    else:
        later.synthesize(2, optimizer=optimizer, scheduler=scheduler)
    assert torch.equal(later.losses, whole.losses)
    assert len(later.losses) == len(whole.losses) > 3
