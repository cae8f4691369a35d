"""MAD competitions: images that differ from a target by one metric and not by another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from stimsynth.banks.faults import together
from stimsynth.banks.measures import metric_value
from stimsynth.banks.recipe import (
    Catalogue,
    Context,
    Made,
    Target,
    check_seeds,
    convergence_in_certificate,
    label_of,
    levels_of,
    number_of,
    register_recipe,
    settings_of,
    to_array,
    to_tensor,
)
from stimsynth.methods.mad import MADCompetition, noisy
from stimuli_store.bank.kinds import MAD_ROLES
from stimuli_store.errors import InputError
from stimuli_store.frames import Frame
from stimuli_store.records.canonical import pixel_id
from stimuli_store.records.spec import SetSpec, Start, StimulusSpec


@register_recipe
@dataclass(frozen=True, kw_only=True)
class MADRecipe:
    """``kind = "mad"``: for every level of noise, four images that set two metrics against each other.

    Attributes
    ----------
    metrics
        Names of two metrics, or labels of models.
    level
        ``{ noise = [0.02, 0.04] }``: standard deviations of the noise to start from.
    seeds
        One set for each, from noise of that seed.
    max_iter, stop_criterion, stop_iters_to_check
        As for `stimsynth.MADCompetition.synthesize`.
    grid
        ``"refined"`` finishes on the levels of the screen, ``"rounded"`` rounds.
    batch, gates, on_miss, retries, name
        As for all kinds; the four images of a set are always made together.
    """

    kind: ClassVar[str] = "mad"
    axes: ClassVar[frozenset[str]] = frozenset({"metrics", "level", "seeds"})
    whole: ClassVar[bool] = True
    figures: ClassVar[tuple[str, ...]] = (
        "metric_1",
        "metric_2",
        "start_metric_1",
        "start_metric_2",
        "drift",
    )

    metrics: tuple[str, ...] = ()
    level: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    max_iter: int = 300
    stop_criterion: float = 1e-4
    stop_iters_to_check: int = 50
    grid: str = "refined"
    batch: int = 4
    gates: Mapping[str, float] = field(default_factory=lambda: {"drift": 1e-3})
    on_miss: str = "flag"
    retries: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        levels = levels_of(self.level, "mad")
        check_seeds(self.seeds, "mad")
        if any(
            level is not None and (level.unit != "noise" or number_of(level) <= 0)
            for level in levels
        ):
            raise InputError(
                "mad.level must be { noise = [...] } with standard deviations above 0; not "
                f"{dict(self.level)}"
            )
        if self.grid not in ("refined", "rounded"):
            raise InputError(f"mad.grid must be refined or rounded; not {self.grid!r}")
        if self.on_miss == "retry":
            raise InputError(
                "mad.on_miss must be flag or fail, as the images of a set share one start"
            )

    def specs(self, catalogue: Catalogue) -> tuple[SetSpec, ...]:
        """Return a set of four for every target, level and seed."""
        found = {}
        with together() as faults:
            if len(self.metrics) != 2 or not self.level:
                faults.sentences.append(
                    'mad needs two metrics and a level, as in metrics = ["ssim", "mse"] and '
                    "level = { noise = [0.02] }"
                )
            for label in self.metrics:
                with faults.collect():
                    found[label] = catalogue.model(label)
        one, two = (found[label] for label in self.metrics)
        if one.identity == two.identity:
            raise InputError(f"mad.metrics must be two different metrics; not {list(self.metrics)}")
        if catalogue.follow_each_other(one, two):
            raise InputError(
                f"{' and '.join(self.metrics)} are functions of each other (gradients are parallel), so "
                "that neither changes while the other is held"
            )
        faint = list(self._without_effect(catalogue.targets))
        if faint:
            raise InputError("\n".join(faint))
        sets = []
        for target in catalogue.targets:
            for level in levels_of(self.level, "mad"):
                for seed in self.seeds:
                    members = tuple(
                        StimulusSpec(
                            kind=self.kind,
                            role=role,
                            targets=(target.sha256,),
                            models={"metric_1": one, "metric_2": two},
                            level=level,
                            start=Start(type="gaussian_noise", seed=seed),
                            recipe=settings_of(self),
                            code=catalogue.code,
                        )
                        for role in MAD_ROLES
                    )
                    seeded = f"seed={seed}" if len(self.seeds) > 1 else ""
                    label = label_of(target.name, self.name, str(level), seeded)
                    sets.append(SetSpec(label=label, members=members))
        return tuple(sets)

    def _without_effect(self, targets: Sequence[Target]) -> Iterator[str]:
        """Yield a sentence for every level of noise that leaves a target as it is on the screen."""
        for level in levels_of(self.level, self.kind):
            same = []
            for target in targets:
                image = to_tensor(target.pixels).double()
                starts = (_noisy_start(image, number_of(level), seed) for seed in self.seeds)
                if any(torch.equal(_on_the_grid(image), start) for start in starts):
                    same.append(target.name)
            if same:
                yield (
                    f"{level} changes no pixel of {', '.join(same)} by a level of the screen (1/255); give "
                    "more noise"
                )

    def make(self, batch: Sequence[StimulusSpec], context: Context) -> Iterator[Made]:
        """Yield the four images of a set, which start from the same noise on the levels of the screen."""
        first = batch[0]
        assert first.start is not None
        target = context.images([first.targets[0]]).double()
        start = _noisy_start(target, number_of(first.level), first.start.seed)
        for spec in batch:
            yield self._made(spec, target, start, context)

    def _made(self, spec: StimulusSpec, target: Tensor, start: Tensor, context: Context) -> Made:
        metrics = [context.metric(spec.models[name]) for name in ("metric_1", "metric_2")]
        pushed, held = metrics if spec.role.startswith("metric_1") else metrics[::-1]
        minmax: Literal["min", "max"] = "min" if spec.role.endswith("min") else "max"
        mad = MADCompetition(target, pushed, held, minmax, initial_image=start)
        with convergence_in_certificate():
            mad.synthesize(
                self.max_iter,
                stop_criterion=self.stop_criterion,
                stop_iters_to_check=self.stop_iters_to_check,
            )
        images = mad.on_grid().images if self.grid == "refined" else mad.mad_image
        return Made(
            spec=spec,
            pixels=to_array(images[0]),
            start=to_array(start[0]),
            status=mad.status[0].value,
            losses=np.asarray(mad.losses[:, 0].cpu(), np.float32),
        )

    def certify(
        self, made: Made, frames: Mapping[str, Frame], context: Context
    ) -> Mapping[str, float]:
        """Return both metrics of image and start to the target, and the drift of the held one."""
        assert made.start is not None
        spec, target = made.spec, frames[made.spec.targets[0]]
        figures = {}
        for name in ("metric_1", "metric_2"):
            metric = context.metric(spec.models[name])
            figures[name] = metric_value(metric, target, frames[spec.key])
            figures[f"start_{name}"] = metric_value(metric, target, frames[pixel_id(made.start)])
        held = "metric_2" if spec.role.startswith("metric_1") else "metric_1"
        before = figures[f"start_{held}"]
        if not before:
            raise InputError(
                f"{spec.models[held].label} sees no difference between a target and its start with "
                f"{spec.level}, so that it cannot be held; give more noise"
            )
        return {**figures, "drift": figures[held] / before - 1}


def _noisy_start(target: Tensor, deviation: float, seed: int) -> Tensor:
    return _on_the_grid(noisy(target, deviation, seed, (0.0, 1.0)))


def _on_the_grid(image: Tensor) -> Tensor:
    """Return an image rounded to the levels of an 8-bit screen, so that its frame is the start itself."""
    return (image * 255).round() / 255
