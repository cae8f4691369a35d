"""Eigendistortions: the changes of a target that a model sees most and least, shown at amplitudes."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch

from stimsynth.banks.faults import together
from stimsynth.banks.measures import frame_images, outputs, root_mean_square
from stimsynth.banks.recipe import (
    Catalogue,
    Context,
    Made,
    Target,
    check_seeds,
    label_of,
    levels_of,
    number_of,
    register_recipe,
    settings_of,
    to_array,
    to_tensor,
)
from stimsynth.methods.eigendistortion import Eigendistortion
from stimuli_store.bank.kinds import ENDS
from stimuli_store.errors import InputError
from stimuli_store.frames import DITHERS, Frame, dequantize, perturb, quantize
from stimuli_store.records.spec import Level, ModelRef, SetSpec, Start, StimulusSpec

_STEP = 1 / 255


@register_recipe
@dataclass(frozen=True, kw_only=True)
class EigendistortionRecipe:
    """``kind = "eigendistortion"``: unit distortions, and the target with them added at amplitudes.

    Attributes
    ----------
    model
        Label of a model of the plan.
    ends
        ``"most"`` and ``"least"``: which end of the spectrum.
    signs
        ``"+"`` and ``"-"``: added or subtracted.
    level
        ``{ amplitude = [0.5, 1, 2] }``: Euclidean norms of the change, in units of pixel values from 0 to 1.
    dither
        ``"uniform"`` or ``"none"``; see `stimuli_store.frames.perturb`.
    seeds
        One seed, of the dither and of the search.
    max_iter, residual_tolerance
        As for `stimsynth.Eigendistortion.synthesize`.
    batch, gates, on_miss, retries, name
        As for all kinds; a set is always made together. By default at most 1 % of the pixels may be clipped,
        and the amplitude on the frame may differ by 5 % from the one that was asked for, which dither alone
        seldom does at amplitudes of 0.1 or more. What is clipped depends on where a distortion lies, so that
        only amplitudes that no change of the target can have are refused before work.
    """

    kind: ClassVar[str] = "eigendistortion"
    axes: ClassVar[frozenset[str]] = frozenset({"model", "ends", "signs", "level", "seeds"})
    whole: ClassVar[bool] = True
    figures: ClassVar[tuple[str, ...]] = (
        "eigenvalue",
        "largest_eigenvalue",
        "residual",
        "error_bound",
        "norm",
        "amplitude",
        "amplitude_error",
        "response",
    )

    model: str = ""
    ends: tuple[str, ...] = ENDS
    signs: tuple[str, ...] = ("+",)
    level: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    dither: str = "uniform"
    seeds: tuple[int, ...] = (0,)
    max_iter: int = 1000
    residual_tolerance: float = 1e-4
    batch: int = 1
    gates: Mapping[str, float] = field(
        default_factory=lambda: {"clipped_fraction": 0.01, "amplitude_error": 0.05}
    )
    on_miss: str = "flag"
    retries: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        check_seeds(self.seeds, "eigendistortion")
        for what, given, known in (
            ("ends", self.ends, ENDS),
            ("signs", self.signs, ("+", "-")),
            ("dither", (self.dither,), DITHERS),
        ):
            if not given or not set(given) <= set(known) or len(set(given)) != len(given):
                raise InputError(
                    f"eigendistortion.{what} must be of {', '.join(known)}; not {list(given)}"
                )
        if len(self.seeds) != 1 or self.on_miss == "retry":
            raise InputError(
                "an eigendistortion set must have one seed, and on_miss must be flag or fail"
            )
        for level in levels_of(self.level, "eigendistortion"):
            if level is not None and (level.unit != "amplitude" or not number_of(level) >= _STEP):
                raise InputError(
                    "eigendistortion.level must be { amplitude = [...] } with norms of one level or more "
                    f"(1/255 = {_STEP:.4f}); not {dict(self.level)}"
                )

    def specs(self, catalogue: Catalogue) -> tuple[SetSpec, ...]:
        """Return a set for every target: unit distortions first, then each amplitude and sign."""
        with together() as faults:
            with faults.collect():
                model = catalogue.model(self.model)
            faults.sentences += self._out_of_reach(catalogue.targets)
        return tuple(
            SetSpec(
                label=label_of(target.name, self.name or f"{self.model}-eigendistortions"),
                members=tuple(self._members(target.sha256, model, catalogue)),
            )
            for target in catalogue.targets
        )

    def _out_of_reach(self, targets: Sequence[Target]) -> Iterator[str]:
        """Yield a sentence for every amplitude that misses its gate, however the change of a target looks."""
        bound = self.gates.get("amplitude_error", np.inf)
        reach = {t.name: float(np.linalg.norm(np.maximum(t.pixels, 1 - t.pixels))) for t in targets}
        for level in levels_of(self.level, self.kind):
            asked = 0.0 if level is None else (1 - bound) * number_of(level)
            short = [name for name, largest in reach.items() if largest < asked]
            if short:
                yield (
                    f"{level} misses its gate, as no change of {', '.join(short)} between black and white is "
                    f"so large; give at most {min(reach.values()):.3g}"
                )

    def _members(
        self, target: str, model: ModelRef, catalogue: Catalogue
    ) -> Iterator[StimulusSpec]:
        levels = [v for v in levels_of(self.level, "eigendistortion") if v is not None]
        places: list[tuple[str, Level | None]] = [(end, None) for end in self.ends]
        places += [(end + sign, v) for end in self.ends for sign in self.signs for v in levels]
        for role, level in places:
            yield StimulusSpec(
                kind=self.kind,
                role=role,
                targets=(target,),
                models={"model": model},
                level=level,
                start=Start(type="dither", seed=self.seeds[0]),
                recipe=settings_of(self),
                code=catalogue.code,
            )

    def make(self, batch: Sequence[StimulusSpec], context: Context) -> Iterator[Made]:
        """Yield the unit distortions of one target, and its frames with them added."""
        first = batch[0]
        assert first.start is not None
        target = context.images([first.targets[0]])
        model = context.exact(first.models["model"])
        with redirect_stdout(io.StringIO()):  # it greets people with its dimensions
            search = Eigendistortion(target.double(), model, seed=first.start.seed)
        search.synthesize(max_iter=self.max_iter, residual_tolerance=self.residual_tolerance)
        units = dict(zip(ENDS, search.eigendistortions.flatten(0, -4), strict=True))
        pixels = {end: to_array(unit) for end, unit in units.items()}
        shown = quantize(to_array(target[0])).pixels
        for spec in batch:
            end = spec.role.rstrip("+-")
            status = search.status[0].value
            if spec.level is None:
                yield Made(
                    spec=spec,
                    pixels=pixels[end],
                    status=status,
                    shown=False,
                    figures={"largest_eigenvalue": float(search.eigenvalues.max())},
                )
                continue
            amplitude = number_of(spec.level) * (-1 if spec.role.endswith("-") else 1)
            frame = perturb(shown, pixels[end], amplitude, self.dither, first.start.seed)
            yield Made(
                spec=spec,
                pixels=dequantize(frame.pixels),
                status=status,
                start=pixels[end],
                clipped_fraction=frame.clipped_fraction,
            )

    def certify(
        self, made: Made, frames: Mapping[str, Frame], context: Context
    ) -> Mapping[str, float]:
        """Return eigenvalue, residual and error bound of a unit distortion, or amplitude and response."""
        spec, target = made.spec, frames[made.spec.targets[0]]
        if spec.level is None:
            return _spectrum(context, target, made)
        assert made.start is not None
        sign, asked = -1 if spec.role.endswith("-") else 1, number_of(spec.level)
        frame = frames[spec.key]
        moved = dequantize(frame.pixels, np.float64) - dequantize(target.pixels, np.float64)
        plain, changed = outputs(context, spec.models["model"], [target, frame]).unbind(0)
        amplitude = sign * float(np.sum(moved * made.start))
        return {
            "amplitude": amplitude,
            "amplitude_error": amplitude / asked - 1,
            "response": float(root_mean_square((changed - plain)[None])),
        }


def _spectrum(context: Context, target: Frame, made: Made) -> dict[str, float]:
    """Return the Rayleigh quotient of a distortion, its residual, and the bound that this sets.

    Some eigenvalue of the Fisher matrix lies within the norm of the residual of the quotient (Parlett 1998,
    The Symmetric Eigenvalue Problem, theorem 4.5.1). `residual` is that norm relative to
    the largest eigenvalue.
    """
    exact = context.exact(made.spec.models["model"])
    image = frame_images([target]).to(context.device)
    e = to_tensor(made.pixels.astype(np.float64)).to(context.device)
    norm = float(e.norm())
    e = e / norm
    _, pushed, *_ = torch.func.jvp(exact, (image,), (e,))
    _, pull, *_ = torch.func.vjp(exact, image)
    (back,) = pull(pushed)
    quotient = float((e * back).sum())
    bound, largest = float((back - quotient * e).norm()), made.figures["largest_eigenvalue"]
    return {
        "eigenvalue": quotient,
        "residual": bound / largest if largest else bound,
        "error_bound": bound,
        "norm": norm,
    }
