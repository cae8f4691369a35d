"""Optimized images: a target changed until a unit of a model responds most or least."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from stimsynth.banks.measures import frame_images
from stimsynth.banks.recipe import (
    Catalogue,
    Context,
    Made,
    convergence_in_certificate,
    label_of,
    register_recipe,
    settings_of,
    to_array,
)
from stimsynth.methods.optimized_image import OptimizedImage
from stimuli_store.errors import InputError
from stimuli_store.frames import Frame
from stimuli_store.records.spec import SetSpec, StimulusSpec

HELD: Mapping[str, Callable[[Tensor], Tensor]] = {"mean": torch.mean, "contrast": torch.var}


@register_recipe
@dataclass(frozen=True, kw_only=True)
class OptimizedRecipe:
    """``kind = "optimized"``: targets changed until the mean response of a unit is largest or smallest.

    Attributes
    ----------
    model
        Label of a model of the plan.
    unit
        Index into the model's output for one image, as ``[3]`` for a channel or ``[3, 16, 16]`` for one place
        of it; the response is the mean of what it selects.
    minmax
        ``"max"`` or ``"min"``.
    held
        ``"mean"`` and ``"contrast"`` of the pixels that keep the target's value.
    max_iter, stop_criterion, stop_iters_to_check
        As for `stimsynth.OptimizedImage.synthesize`.
    batch, gates, on_miss, retries, name
        As for all kinds.
    """

    kind: ClassVar[str] = "optimized"
    axes: ClassVar[frozenset[str]] = frozenset({"model"})
    whole: ClassVar[bool] = False
    figures: ClassVar[tuple[str, ...]] = ("objective", "start_objective")

    model: str = ""
    unit: tuple[int, ...] = (0,)
    minmax: Literal["max", "min"] = "max"
    held: tuple[str, ...] = ("mean", "contrast")
    max_iter: int = 100
    stop_criterion: float = 1e-4
    stop_iters_to_check: int = 50
    batch: int = 1
    gates: Mapping[str, float] = field(default_factory=dict)
    on_miss: str = "flag"
    retries: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        if self.minmax not in ("max", "min") or not set(self.held) <= set(HELD):
            raise InputError(
                f"optimized.minmax must be max or min, and held of {', '.join(HELD)}; not "
                f"{self.minmax!r} and {list(self.held)}"
            )

    def specs(self, catalogue: Catalogue) -> tuple[SetSpec, ...]:
        """Return a set of one for every target."""
        model = catalogue.model(self.model)
        for shape in catalogue.output_shapes(model):
            fits = len(self.unit) <= len(shape)
            if not fits or any(not -n <= i < n for i, n in zip(self.unit, shape, strict=False)):
                raise InputError(
                    f"optimized.unit must be an index into an output of shape {shape}; not {list(self.unit)}"
                )
        return tuple(
            SetSpec(
                label=label_of(target.name, self.name or f"{self.model}-{self.minmax}"),
                members=(
                    StimulusSpec(
                        kind=self.kind,
                        role=self.kind,
                        targets=(target.sha256,),
                        models={"model": model},
                        recipe=settings_of(self),
                        code=catalogue.code,
                    ),
                ),
            )
            for target in catalogue.targets
        )

    def make(self, batch: Sequence[StimulusSpec], context: Context) -> Iterator[Made]:
        """Yield optimized images, one after another."""
        for spec in batch:
            target = context.images(spec.targets)
            search = OptimizedImage(
                target,
                self._response(context.model(spec.models["model"])),
                self.minmax,
                held={name: HELD[name] for name in self.held},
            )
            with convergence_in_certificate():
                search.synthesize(
                    self.max_iter,
                    stop_criterion=self.stop_criterion,
                    stop_iters_to_check=self.stop_iters_to_check,
                )
            yield Made(
                spec=spec,
                pixels=to_array(search.image[0]),
                status=search.status[0].value,
                losses=np.asarray(search.losses[:, 0].cpu(), np.float32),
            )

    def certify(
        self, made: Made, frames: Mapping[str, Frame], context: Context
    ) -> Mapping[str, float]:
        """Return the unit's response to the frame and to the target's."""
        spec = made.spec
        response = self._response(context.exact(spec.models["model"]))
        with torch.no_grad():
            images = [frame_images([frames[key]]) for key in (spec.key, spec.targets[0])]
            values = [float(response(image.to(context.device))) for image in images]
        return dict(zip(("objective", "start_objective"), values, strict=True))

    def _response(self, model: nn.Module) -> Callable[[Tensor], Tensor]:
        def response(image: Tensor) -> Tensor:
            return model(image)[0][self.unit].mean()

        return response
