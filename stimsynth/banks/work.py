"""From a plan to the list of work: targets loaded, models made once and identified, sets and batches."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from stimsynth.banks.code_identity import code_of_this_package
from stimsynth.banks.faults import Faults, together
from stimsynth.banks.model_identity import Factory
from stimsynth.banks.models import Models
from stimsynth.banks.plan import BuildPlan
from stimsynth.banks.recipe import PictureFile, Recipe, Target, picture_key
from stimsynth.banks.targets import files_of, load_target, load_targets
from stimsynth.images import Picture
from stimuli_store.bank.describe import describe_reference
from stimuli_store.errors import InputError
from stimuli_store.records.canonical import key_of, pixel_id, sha256
from stimuli_store.records.convert import to_json
from stimuli_store.records.spec import ModelRef, SetSpec, StimulusSpec
from stimuli_store.records.stimulus import Stimulus


@dataclass(frozen=True, kw_only=True)
class BatchSpec:
    """Stimuli that are synthesized together, and the recipe that makes them."""

    recipe: Recipe
    members: tuple[StimulusSpec, ...]
    device: str

    @cached_property
    def key(self) -> str:
        """Key of the batch's job, a hash of its members' keys in order, the device, and the quality gates."""
        judged = [dict(self.recipe.gates), self.recipe.on_miss, self.recipe.retries]
        members = [spec.key for spec in self.members]
        return key_of({"members": members, "device": self.device, "judged": judged})


@dataclass(frozen=True, kw_only=True)
class Work:
    """All that a plan asks for, ready to be done.

    Attributes
    ----------
    plan
        The plan.
    references
        Targets as stimuli of the bank.
    sets
        Sets in order.
    batches
        Batches in order; together they hold the members of all sets.
    models
        Models and metrics.
    predicting
        Models and metrics whose predictions are stored.
    pictures
        Pictures in files that recipes take, by `picture_key`.
    changes
        A line for each target that is not as its file holds it: in grey, cropped, or on another curve.
    """

    plan: BuildPlan
    references: tuple[Stimulus, ...]
    sets: tuple[SetSpec, ...]
    batches: tuple[BatchSpec, ...]
    models: Models = field(repr=False)
    predicting: tuple[ModelRef, ...] = ()
    pictures: Mapping[str, Picture] = field(default_factory=dict, repr=False)
    changes: tuple[str, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """Identity of the work: bank, targets, sets and models, whatever the code that does it."""
        specs = [
            {**to_json(spec), "models": {p: m.identity for p, m in spec.models.items()}, "code": {}}
            for group in self.sets
            for spec in group.members
        ]
        return key_of(
            {
                "bank": to_json(self.plan.bank),
                "ppd": self.plan.targets.ppd,
                "references": [
                    [r.record.sha256, r.record.name, r.record.license] for r in self.references
                ],
                "labels": [group.label for group in self.sets],
                "gates": [
                    [to_json(recipe.gates), recipe.on_miss, recipe.retries]
                    for recipe in self.plan.sets
                ],
                "specs": specs,
                "predicting": [{"label": m.label, **m.identity} for m in self.predicting],
            }
        )

    @cached_property
    def order(self) -> Mapping[str, int]:
        """Place of every set by its label."""
        return {group.label: place for place, group in enumerate(self.sets)}

    @cached_property
    def places(self) -> Mapping[str, tuple[str, int]]:
        """Label of the set and position in it, by the key of a planned spec."""
        return {
            spec.key: (group.label, member)
            for group in self.sets
            for member, spec in enumerate(group.members)
        }

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Key of a planned spec to the name of its stimulus."""
        return {spec.key: _name(group, spec) for group in self.sets for spec in group.members}

    @cached_property
    def licenses(self) -> Mapping[str, str]:
        """Licence of every target by pixel id."""
        return {r.record.sha256: r.record.license for r in self.references}


def _name(group: SetSpec, spec: StimulusSpec) -> str:
    """Return the name of a stimulus: its set, then the values that distinguish it from other members."""
    levels = {str(member.level) for member in group.members}
    parts = [group.label]
    if spec.role != spec.kind:
        parts.append(spec.role)
    if len(levels) > 1 and spec.level is not None:
        parts.append(str(spec.level))
    if spec.role == spec.kind and spec.start is not None and str(spec.start.seed):
        parts.append(f"seed={spec.start.seed}")
    return "/".join(parts)


#: How sentences begin that say of a set with other faults what it names in vain; its levels may be lost.
_NOT_THERE = ("unknown", "there is no", "the folder")


class _Offered:
    """The catalogue of a plan; see `stimsynth.banks.recipe.Catalogue`."""

    def __init__(
        self, plan: BuildPlan, folder: Path, targets: tuple[Target, ...], models: Models
    ) -> None:
        self.targets, self.code = targets, code_of_this_package()
        self._plan, self._folder, self._models = plan, folder, models
        self.pictures: dict[str, Picture] = {}

    def model(self, label: str, params: Mapping[str, Any] | None = None) -> ModelRef:
        return self._models.ref(label, params, synthesizes=True)

    def output_shapes(self, model: ModelRef) -> tuple[tuple[int, ...], ...]:
        return self._models.output_shapes(model)

    def follow_each_other(self, one: ModelRef, two: ModelRef) -> bool:
        return self._models.follow_each_other(one, two)

    def files(
        self, patterns: Sequence[str], size: int | None, colour: str, license: str
    ) -> tuple[PictureFile, ...]:
        found = []
        for path in files_of(patterns, self._folder):
            file_sha256 = sha256(path.read_bytes())
            picture = load_target(path, size, license, colour)
            key = picture_key({"sha256": file_sha256, "size": size, "colour": colour})
            self.pictures[str(key)] = picture
            found.append(
                PictureFile(
                    name=picture.name,
                    sha256=pixel_id(picture.pixels),
                    shape=picture.pixels.shape,
                    file=path.name,
                    file_sha256=file_sha256,
                )
            )
        return tuple(found)


def prepare(
    plan: BuildPlan,
    beside: Path | None = None,
    *,
    models: Mapping[str, Factory] | None = None,
    device: str = "cpu",
    faults: Faults | None = None,
) -> Work:
    """Load the targets of a plan, make its models once, and list the work.

    Parameters
    ----------
    plan
        What `read_plan` or `plan_from` returned.
    beside
        Folder that relative paths start from; the working directory for None.
    models
        Label to a function or class that makes a model, beside those of the plan.
    device
        Where models run, as torch names it.
    faults
        Those found already, which are reported together with further ones.

    Raises
    ------
    InputError
        With all faults that can be found without synthesizing anything.
    """
    folder, faults = beside or Path(), faults or Faults()
    known = len(faults.sentences)
    pictures = load_targets(plan.part.targets or plan.targets, folder, faults)
    if plan.part.targets is not None:
        pictures = ()  # of unknown size or colour
    if len(faults.sentences) > known or plan.part.targets is not None:
        faults.follow += [
            "unknown target",
            "two sets are called",
            "two stimuli are",
            "a set of kind",
        ]
    references = tuple(describe_reference(p.pixels, p.name, p.license) for p in pictures)
    targets = tuple(_target_of(reference) for reference in references)
    shapes = tuple(dict.fromkeys(_channels_first(target.shape) for target in targets))
    registry = Models(plan.models, folder, models, shapes, device)
    offered = _Offered(plan, folder, targets, registry)
    sets: list[SetSpec] = []
    batches: list[BatchSpec] = []
    for label in plan.models:
        with faults.collect():
            registry.find(label)
    for recipe in plan.sets:
        with faults.collect():
            made = recipe.specs(offered)
            if not made:
                raise InputError(
                    f"a set of kind {recipe.kind} is made from targets; give one or more in targets.images"
                )
            sets += made
            batches += _batches(recipe, made, device, {t.sha256: t.shape for t in targets})
    for recipe in plan.part.sets:
        with faults.collect(only=_NOT_THERE):
            recipe.specs(offered)
    predicting = []
    for label in plan.predict.models:
        with faults.collect():
            predicting.append(registry.ref(label))
    with faults.collect():
        _check_labels(sets, references)
    with faults.collect():
        _check_members(sets)
    faults.report()
    registry.check_all_used()
    return Work(
        plan=plan,
        references=references,
        sets=tuple(sets),
        batches=tuple(batches),
        models=registry,
        predicting=tuple(predicting),
        pictures=offered.pictures,
        changes=tuple(f"{p.name}: {', '.join(p.changes)}" for p in pictures if p.changes),
    )


def _target_of(reference: Stimulus) -> Target:
    record = reference.record
    return Target(name=record.name, sha256=record.sha256, pixels=reference.pixels)


def _channels_first(shape: tuple[int, ...]) -> tuple[int, int, int]:
    return (shape[2] if len(shape) == 3 else 1, shape[0], shape[1])


def _batches(
    recipe: Recipe,
    sets: Sequence[SetSpec],
    device: str,
    shapes: Mapping[str, tuple[int, ...]],
) -> Iterator[BatchSpec]:
    """Yield the batches of a recipe: whole sets, or members of sets in order that go together."""
    if recipe.whole:
        for group in sets:
            yield BatchSpec(recipe=recipe, members=group.members, device=device)
        return
    together: dict[str, list[StimulusSpec]] = {}
    for group in sets:
        for spec in group.members:
            models = {part: model.identity for part, model in spec.models.items()}
            alike = [models, [shapes.get(target) for target in spec.targets]]
            together.setdefault(key_of(alike), []).append(spec)
    for specs in together.values():
        for first in range(0, len(specs), recipe.batch):
            members = tuple(specs[first : first + recipe.batch])
            yield BatchSpec(recipe=recipe, members=members, device=device)


def _check_members(sets: Sequence[SetSpec]) -> None:
    """Refuse stimuli with one spec, which only their names distinguish, and members of one name."""
    known: dict[str, tuple[str, str]] = {}
    found: dict[tuple[str, str], str] = {}
    with together() as faults:
        for group in sets:
            names = Counter(_name(group, spec) for spec in group.members)
            for name in (name for name, number in names.items() if number > 1):
                faults.sentences.append(f"two stimuli are called {name}; take one of them out")
            for spec in group.members:
                name = _name(group, spec)
                label, other = known.setdefault(spec.key, (group.label, name))
                if other != name:
                    found.setdefault((label, group.label), f"{other} and {name}")
        for both in found.values():
            faults.sentences.append(
                f"two stimuli are one by all that a bank records of them, {both}; take one of them out"
            )


def _check_labels(sets: Sequence[SetSpec], references: Sequence[Stimulus]) -> None:
    labels = Counter([group.label for group in sets] + [*{r.record.set for r in references}])
    twice = sorted(label for label, number in labels.items() if number > 1)
    if twice:
        raise InputError(
            f"two sets are called {', '.join(twice)}; give the sets of one table a name of their own, as in "
            'name = "long"'
        )
