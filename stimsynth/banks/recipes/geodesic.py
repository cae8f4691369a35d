"""Geodesics: sequences from one target to another that change as little for a model as can be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np

from stimsynth.banks.faults import together
from stimsynth.banks.measures import outputs, root_mean_square
from stimsynth.banks.recipe import (
    Catalogue,
    Context,
    Made,
    check_seeds,
    convergence_in_certificate,
    label_of,
    register_recipe,
    settings_of,
    to_array,
)
from stimsynth.methods.geodesic import Geodesic
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.frames import Frame
from stimuli_store.records.spec import Level, SetSpec, Start, StimulusSpec


@register_recipe
@dataclass(frozen=True, kw_only=True)
class GeodesicRecipe:
    """``kind = "geodesic"``: the frames between two targets, by their position from 0 to 1.

    Attributes
    ----------
    model
        Label of a model of the plan.
    ends
        Pairs of names of targets.
    n_steps
        Steps from one end to the other; the set holds the ``n_steps - 1`` frames between them.
    initial_sequence
        ``"straight"`` or ``"bridge"``, as for `stimsynth.Geodesic`.
    seeds
        One set for each.
    max_iter, stop_criterion, stop_iters_to_check
        As for `stimsynth.Geodesic.synthesize`.
    batch, gates, on_miss, retries, name
        As for all kinds; a set is always made together.
    """

    kind: ClassVar[str] = "geodesic"
    axes: ClassVar[frozenset[str]] = frozenset({"model", "ends", "seeds"})
    whole: ClassVar[bool] = True
    figures: ClassVar[tuple[str, ...]] = ("step", "next_step", "bound_ratio")

    model: str = ""
    ends: tuple[tuple[str, str], ...] = ()
    n_steps: int = 5
    initial_sequence: Literal["straight", "bridge"] = "straight"
    seeds: tuple[int, ...] = (0,)
    max_iter: int = 500
    stop_criterion: float = 1e-5
    stop_iters_to_check: int = 50
    batch: int = 1
    gates: Mapping[str, float] = field(default_factory=dict)
    on_miss: str = "flag"
    retries: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        check_seeds(self.seeds, "geodesic")
        if self.n_steps < 2 or self.initial_sequence not in ("straight", "bridge"):
            raise InputError(
                "geodesic.n_steps must be 2 or more, and initial_sequence straight or bridge; not "
                f"{self.n_steps} and {self.initial_sequence!r}"
            )
        if self.on_miss == "retry":
            raise InputError(
                "geodesic.on_miss must be flag or fail, as the frames of a set share one start"
            )

    def specs(self, catalogue: Catalogue) -> tuple[SetSpec, ...]:
        """Return a set for every pair of ends and seed, with a frame for every position between them."""
        named = {target.name: target.sha256 for target in catalogue.targets}
        with together() as faults:
            if not self.ends or any(a == b for a, b in self.ends):
                faults.sentences.append(
                    "geodesic.ends must be pairs of two different targets; not "
                    f"{[list(ends) for ends in self.ends]}"
                )
            with faults.collect():
                model = catalogue.model(self.model)
            for name in sorted({name for ends in self.ends for name in ends} - named.keys()):
                faults.sentences.append(str(unknown_name("target", name, list(named))))
        sets = []
        for a, b in self.ends:
            for seed in self.seeds:
                members = tuple(
                    StimulusSpec(
                        kind=self.kind,
                        role="frame",
                        targets=(named[a], named[b]),
                        models={"model": model},
                        level=Level(value=step / self.n_steps, unit="position"),
                        start=Start(type=self.initial_sequence, seed=seed),
                        recipe=settings_of(self),
                        code=catalogue.code,
                    )
                    for step in range(1, self.n_steps)
                )
                seeded = f"seed={seed}" if len(self.seeds) > 1 else ""
                label = label_of(f"{a}-{b}", self.name or f"{self.model}-geodesic", seeded)
                sets.append(SetSpec(label=label, members=members))
        return tuple(sets)

    def make(self, batch: Sequence[StimulusSpec], context: Context) -> Iterator[Made]:
        """Yield the frames of one geodesic between its ends."""
        first = batch[0]
        assert first.start is not None
        a, b = (context.images([sha]) for sha in first.targets)
        model = context.model(first.models["model"])
        start: Literal["straight", "bridge"] = self.initial_sequence
        geodesic = Geodesic(a, b, model, self.n_steps, start, seed=first.start.seed)
        with convergence_in_certificate():
            geodesic.synthesize(
                self.max_iter,
                stop_criterion=self.stop_criterion,
                stop_iters_to_check=self.stop_iters_to_check,
            )
        losses = np.asarray(geodesic.losses[:, geodesic.best].cpu(), np.float32)
        for place, spec in enumerate(batch, start=1):
            yield Made(
                spec=spec,
                pixels=to_array(geodesic.geodesic[place].clamp(0, 1)),
                status=geodesic.status[geodesic.best].value,
                losses=losses if place == 1 else np.empty(0, np.float32),
            )

    def certify(
        self, made: Made, frames: Mapping[str, Frame], context: Context
    ) -> Mapping[str, float]:
        """Return the steps before and after a frame, and the path energy relative to its lower bound."""
        a, b = made.spec.targets
        keys = self._keys(made)
        path = outputs(context, made.spec.models["model"], [frames[k] for k in (a, *keys, b)])
        steps = root_mean_square(path.diff(dim=0))
        place = keys.index(made.spec.key)
        energy = float(steps.square().mean())
        bound = float(root_mean_square((path[-1] - path[0])[None]).square()) / len(steps) ** 2
        return {
            "step": float(steps[place]),
            "next_step": float(steps[place + 1]),
            "bound_ratio": energy / bound if bound else 1.0,
        }

    def _keys(self, made: Made) -> list[str]:
        """Return the keys of all frames of the geodesic in order of their positions."""
        positions = (step / self.n_steps for step in range(1, self.n_steps))
        levels = (Level(value=position, unit="position") for position in positions)
        return [replace(made.spec, level=level).key for level in levels]
