"""Metamers: images that a model cannot tell from a target."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, groupby
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from stimsynth.banks.faults import together
from stimsynth.banks.measures import outputs, rms_pixels, root_mean_square
from stimsynth.banks.recipe import (
    Catalogue,
    Context,
    Made,
    argument_of,
    check_seeds,
    convergence_in_certificate,
    label_of,
    levels_of,
    register_recipe,
    settings_of,
    to_array,
)
from stimsynth.images import uniform_noise
from stimsynth.losses import penalize_roughness
from stimsynth.methods.coarse_to_fine import MetamerCTF
from stimsynth.methods.metamer import Metamer
from stimsynth.models.balanced import balanced_by_sensitivity, balanced_by_target
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.frames import Frame
from stimuli_store.records.canonical import pixel_id
from stimuli_store.records.spec import Level, ModelRef, SetSpec, Start, StimulusSpec

GRIDS = ("refined", "rounded")
PENALTIES: Mapping[str, Callable[[Tensor], Tensor]] = {"roughness": penalize_roughness}
BALANCED: Mapping[str, Callable[[nn.Module, Tensor], nn.Module]] = {
    "sensitivity": balanced_by_sensitivity,
    "target": balanced_by_target,
}


@register_recipe
@dataclass(frozen=True, kw_only=True)
class MetamerRecipe:
    """``kind = "metamer"``: images with the model's output of a target.

    Attributes
    ----------
    model
        Label of a model of the plan.
    level
        An argument of the model and its values, as ``{ window_px = [4, 8] }``; may be left out.
    seeds
        One metamer for each, from noise of that seed.
    max_iter, stop_criterion, stop_iters_to_check
        As for `stimsynth.Metamer.synthesize`.
    coarse_to_fine
        ``"together"`` or ``"separate"``, as for `stimsynth.MetamerCTF`, for models with scales; empty for all
        scales at once.
    balanced
        ``"sensitivity"`` or ``"target"``: outputs are weighed as by `stimsynth.balanced_by_sensitivity` or
        `stimsynth.balanced_by_target`, which texture statistics need; empty for as they are.
    penalties
        Weights of what is added to the loss, as ``{ roughness = 0.1 }``; see `PENALTIES`. Pixels are between
        0 and 1 without any.
    grid
        ``"refined"`` finishes on the levels of the screen, ``"rounded"`` rounds.
    batch, gates, on_miss, retries, name
        As for all kinds.
    """

    kind: ClassVar[str] = "metamer"
    axes: ClassVar[frozenset[str]] = frozenset({"model", "level", "seeds"})
    whole: ClassVar[bool] = False
    figures: ClassVar[tuple[str, ...]] = (
        "distance",
        "relative_distance",
        "start_distance",
        "pixel_rms",
    )

    model: str = ""
    level: Mapping[str, tuple[float | str, ...]] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    max_iter: int = 200
    stop_criterion: float = 1e-3
    stop_iters_to_check: int = 20
    coarse_to_fine: str = ""
    balanced: str = ""
    penalties: Mapping[str, float] = field(default_factory=dict)
    grid: str = "refined"
    batch: int = 4
    gates: Mapping[str, float] = field(default_factory=dict)
    on_miss: str = "flag"
    retries: int = 2
    name: str = ""

    def __post_init__(self) -> None:
        levels_of(self.level, "metamer")
        check_seeds(self.seeds, "metamer")
        for what, given, known in (
            ("grid", self.grid, GRIDS),
            ("coarse_to_fine", self.coarse_to_fine, ("", "together", "separate")),
            ("balanced", self.balanced, ("", *BALANCED)),
        ):
            if given not in known:
                names = ", ".join(name for name in known if name)
                raise InputError(f"metamer.{what} must be one of {names}; not {given!r}")
        for name, weight in self.penalties.items():
            if name not in PENALTIES:
                raise unknown_name("penalty of metamer.penalties", name, list(PENALTIES))
            if not 0 <= weight < np.inf:
                raise InputError(
                    f"the weight of {name} must be a number of 0 or more; not {weight}"
                )
        if self.max_iter < 1 or self.stop_iters_to_check < 1 or not self.stop_criterion >= 0:
            raise InputError(
                "metamer.max_iter and stop_iters_to_check must be 1 or more, and stop_criterion 0 or more"
            )

    def specs(self, catalogue: Catalogue) -> tuple[SetSpec, ...]:
        """Return a set for every target and level, with a metamer for every seed."""
        sets: list[SetSpec] = []
        models: dict[Level | None, ModelRef] = {}
        with together() as faults:
            for level in levels_of(self.level, "metamer"):
                with faults.collect():
                    models[level] = catalogue.model(self.model, argument_of(level))
            faults.sentences += _same_outputs(models)
        for target in catalogue.targets:
            for level, model in models.items():
                members = tuple(
                    StimulusSpec(
                        kind=self.kind,
                        role=self.kind,
                        targets=(target.sha256,),
                        models={"model": model},
                        level=level,
                        start=Start(type="uniform_noise", seed=seed),
                        recipe=settings_of(self),
                        code=catalogue.code,
                    )
                    for seed in self.seeds
                )
                label = label_of(target.name, self.name, str(level) if level else self.model)
                sets.append(SetSpec(label=label, members=members))
        return tuple(sets)

    def make(self, batch: Sequence[StimulusSpec], context: Context) -> Iterator[Made]:
        """Yield metamers that are synthesized together, one for each spec."""
        for group in self._together(batch):
            yield from self._synthesized(group, context)

    def _together(self, batch: Sequence[StimulusSpec]) -> list[list[StimulusSpec]]:
        """Return groups of specs that share a model: all specs, or one target's if balanced."""
        if not self.balanced:
            return [list(batch)]
        return [list(group) for _, group in groupby(batch, key=lambda spec: spec.targets)]

    def _synthesized(self, batch: Sequence[StimulusSpec], context: Context) -> Iterator[Made]:
        targets = context.images([spec.targets[0] for spec in batch])
        one = (1, *targets.shape[1:])
        starts = torch.cat([uniform_noise(one, spec.start.seed) for spec in batch if spec.start])
        starts = starts.to(targets)
        model = context.model(batch[0].models["model"])
        if self.balanced:
            model = BALANCED[self.balanced](model, targets[:1])
        added = {name: (weight, PENALTIES[name]) for name, weight in self.penalties.items()}
        given: dict[str, Any] = {"initial_image": starts, "penalties": added}
        metamer: Metamer | MetamerCTF = (
            MetamerCTF(targets, model, coarse_to_fine=self.coarse_to_fine, **given)
            if self.coarse_to_fine
            else Metamer(targets, model, **given)
        )
        with convergence_in_certificate():
            metamer.synthesize(
                self.max_iter,
                stop_criterion=self.stop_criterion,
                stop_iters_to_check=self.stop_iters_to_check,
            )
        images = metamer.on_grid().images if self.grid == "refined" else metamer.metamer
        for row, spec in enumerate(batch):
            yield Made(
                spec=spec,
                pixels=to_array(images[row]),
                start=to_array(starts[row]),
                status=metamer.status[row].value,
                losses=np.asarray(metamer.losses[:, row].cpu(), np.float32),
            )

    def certify(
        self, made: Made, frames: Mapping[str, Frame], context: Context
    ) -> Mapping[str, float]:
        """Return the distances of the model's outputs, and of the pixels, to the target's."""
        assert made.start is not None
        spec = made.spec
        target, frame = frames[spec.targets[0]], frames[spec.key]
        start = frames[pixel_id(made.start)]
        shown = [target, frame, start]
        goal, reached, began = outputs(context, spec.models["model"], shown).unbind(0)
        distance, first = root_mean_square(torch.stack([reached - goal, began - goal])).tolist()
        scale = float(root_mean_square(goal[None]))
        return {
            "distance": distance,
            "relative_distance": distance / scale if scale else float(distance > 0),
            "start_distance": first,
            "pixel_rms": rms_pixels(target, frame),
        }


def _same_outputs(models: Mapping[Level | None, ModelRef]) -> Iterator[str]:
    """Yield a sentence for every two levels whose models have the same outputs on the images of the probe."""
    for (one, a), (two, b) in combinations(models.items(), 2):
        if a.probe and a.probe == b.probe:
            yield f"{one} and {two} make models with the same outputs; take one of them out"
