"""Plans: read PLAN.toml strictly, and list the stimuli to synthesize."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stimsynth.banks.models import make_model, reference_to
from stimsynth.images import Picture, load_picture
from stimuli_store.bank.format import check_name, check_version
from stimuli_store.errors import InputError
from stimuli_store.records.canonical import key_of, pixel_id
from stimuli_store.records.convert import to_json
from stimuli_store.records.spec import Level, SetSpec, Start, StimulusSpec
from stimuli_store.records.toml_file import read_toml
from stimuli_store.tools.environment import environment

# Code that cannot change a pixel.
_NOT_MAKING = {"commands", "plots", "cli.py", "__main__.py", "progress.py"}
TRANSFERS = ("srgb", "linear")


@dataclass(frozen=True, kw_only=True)
class BankPlan:
    """Table ``[bank]`` of a plan: name, version, licence, and transfer function of the pixel values."""

    name: str
    version: str
    license: str
    creators: tuple[str, ...] = ()
    transfer: str = "srgb"

    def __post_init__(self) -> None:
        check_name(self.name)
        check_version(self.version)
        if not self.license.strip():
            raise InputError(
                "bank.license is empty; give the licence of the bank, for instance CC0-1.0"
            )
        if self.transfer not in TRANSFERS:
            raise InputError(
                f"bank.transfer must be one of {', '.join(TRANSFERS)}; not {self.transfer!r}"
            )


@dataclass(frozen=True, kw_only=True)
class TargetsPlan:
    """Table ``[targets]`` of a plan: bundled names or files, and the side they are resized to, in pixels."""

    images: tuple[str, ...]
    size: int | None = None
    license: str = "unknown"


@dataclass(frozen=True, kw_only=True)
class MetamerPlan:
    """Table ``[metamer]`` of a plan: model, the argument that varies, its levels, seeds, and stop rules."""

    model: str
    level: str
    levels: tuple[float, ...]
    seeds: tuple[int, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    max_iter: int = 200
    stop_criterion: float = 1e-3
    stop_iters_to_check: int = 20
    batch: int = 4

    def __post_init__(self) -> None:
        for name in ("levels", "seeds"):
            values = getattr(self, name)
            if not values or len(set(values)) != len(values):
                raise InputError(
                    f"metamer.{name} must be a list of one or more different numbers; not {values}"
                )
        self._check_numbers()
        if self.level in self.params:
            raise InputError(
                f"metamer.params sets {self.level!r}, but metamer.level already names it"
            )
        if self.max_iter < 1 or self.batch < 1 or self.stop_iters_to_check < 1:
            raise InputError("metamer.max_iter, batch and stop_iters_to_check must be 1 or more")

    def _check_numbers(self) -> None:
        if not all(math.isfinite(level) for level in self.levels):
            raise InputError(f"metamer.levels must be finite numbers; not {list(self.levels)}")
        if len({f"{level:g}" for level in self.levels}) != len(self.levels):
            raise InputError(
                f"metamer.levels must differ in their first six digits; not {list(self.levels)}"
            )
        if not all(0 <= seed < 2**63 for seed in self.seeds):
            raise InputError(f"metamer.seeds must be from 0 to 2**63 - 1; not {list(self.seeds)}")
        if not 0 <= self.stop_criterion < math.inf:
            raise InputError(f"metamer.stop_criterion must be 0 or more; not {self.stop_criterion}")


@dataclass(frozen=True, kw_only=True)
class ModelPlan:
    """Table ``[[models]]`` of a plan: a model whose distances are stored, under a label of your choice."""

    label: str
    model: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """Content of a plan file."""

    bank: BankPlan
    targets: TargetsPlan
    metamer: MetamerPlan
    models: tuple[ModelPlan, ...] = ()

    def __post_init__(self) -> None:
        labels = [m.label for m in self.models]
        for label in labels:
            if not label.strip() or not label.isprintable():
                raise InputError(f"a model's label must be one line of text; not {label!r}")
        if len(set(labels)) != len(labels) or "mse" in labels:
            raise InputError(
                f"labels of models must differ from each other and from 'mse'; not {labels}"
            )


@dataclass(frozen=True, kw_only=True)
class Work:
    """A plan with its targets loaded and the specs of all its stimuli."""

    plan: BuildPlan
    targets: tuple[Picture, ...]
    sets: tuple[SetSpec, ...]

    @cached_property
    def target(self) -> Mapping[str, Picture]:
        """Targets by pixel id."""
        return {pixel_id(picture.pixels): picture for picture in self.targets}

    @property
    def changes(self) -> tuple[str, ...]:
        """A line for each target that is not as its file holds it: in grey, cropped, or on another curve."""
        return tuple(f"{t.name}: {', '.join(t.changes)}" for t in self.targets if t.changes)

    @property
    def sha256(self) -> str:
        """SHA-256 of the plan and the specs, which cover target pixels and code."""
        return key_of(
            {"plan": to_json(self.plan), "specs": [m.key for s in self.sets for m in s.members]}
        )


def read_plan(path: str | Path) -> BuildPlan:
    """Return the plan in a TOML file.

    Raises
    ------
    InputError
        If the file is missing or is not TOML, or a key is unknown, missing or of the wrong type.
    """
    return read_toml(path, BuildPlan, "the plan")


def prepare(plan: BuildPlan, beside: Path | None = None) -> Work:
    """Return the work of a plan: load its targets, check its models, and list its stimuli.

    Parameters
    ----------
    plan
        A plan, from `read_plan`.
    beside
        Folder to which image paths are relative.
    """
    targets = tuple(_picture(name, plan.targets, beside) for name in plan.targets.images)
    names = [t.name for t in targets]
    if not targets or len(set(names)) != len(names):
        raise InputError(
            f"targets.images must be a list of images with different names; not {names}"
        )
    for entry in plan.models:
        _check(make_model(entry.model, entry.params), targets)
    sets = [
        _set(plan.metamer, target, value) for target in targets for value in plan.metamer.levels
    ]
    return Work(plan=plan, targets=targets, sets=tuple(sets))


def _check(model: nn.Module, targets: tuple[Picture, ...]) -> None:
    """Check that a model accepts every target and gives finite outputs."""
    name = type(model).__name__
    with torch.no_grad():
        for target in targets:
            try:
                output = model(torch.from_numpy(target.pixels)[None, None])
            except InputError:
                raise
            except (TypeError, ValueError, RuntimeError) as error:
                raise InputError(
                    f"{name} with these params fails on {target.name}: {error}"
                ) from error
            if not bool(torch.isfinite(output).all()):
                raise InputError(
                    f"the output of {name} with these params is not finite for {target.name}"
                )


def _picture(name: str, plan: TargetsPlan, beside: Path | None) -> Picture:
    file = beside / name if beside else Path(name)
    return load_picture(str(file) if file.is_file() else name, plan.size, license=plan.license)


def _set(plan: MetamerPlan, target: Picture, value: float) -> SetSpec:
    # Whole numbers are given as int, so that arguments that are counts can be a level too.
    params = {**plan.params, plan.level: int(value) if value.is_integer() else value}
    module = make_model(plan.model, params)
    _check(module, (target,))
    model = reference_to("target", plan.model, params, module)
    sha, level = pixel_id(target.pixels), Level(value=value, unit=plan.level)
    recipe = {
        "method": "Metamer",
        "optimizer": "LBFGS",
        "loss": "mse",
        "dtype": "float32",
        "max_iter": plan.max_iter,
        "stop_criterion": plan.stop_criterion,
        "stop_iters_to_check": plan.stop_iters_to_check,
    }
    code = {
        "package": "stimsynth",
        "version": environment()["stimsynth"],
        "source_sha256": source_sha256(),
    }
    members = tuple(
        StimulusSpec(
            kind="metamer",
            target_sha256=sha,
            model=model,
            level=level,
            start=Start(type="uniform_noise", seed=seed),
            recipe=recipe,
            code=code,
        )
        for seed in plan.seeds
    )
    return SetSpec(
        target_sha256=sha, target_name=target.name, model=model, level=level, members=members
    )


@lru_cache(maxsize=1)
def source_sha256() -> str:
    """Return the SHA-256 of the part of this package's code that can change pixels."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root)
        if _NOT_MAKING.isdisjoint(name.parts):
            digest.update(name.as_posix().encode() + b"\n" + path.read_bytes())
    return digest.hexdigest()
