"""Noise: a target with white or pink noise of a given contrast added, for comparison with other kinds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from stimsynth.banks.measures import rms_pixels
from stimsynth.banks.recipe import (
    Catalogue,
    Context,
    Made,
    check_seeds,
    label_of,
    levels_of,
    number_of,
    register_recipe,
    settings_of,
    to_array,
)
from stimsynth.images import pink_noise
from stimsynth.images.noise import gaussian_noise
from stimuli_store.errors import InputError
from stimuli_store.frames import Frame
from stimuli_store.records.spec import SetSpec, Start, StimulusSpec

SPECTRA = ("white", "pink")


@register_recipe
@dataclass(frozen=True, kw_only=True)
class NoiseRecipe:
    """``kind = "noise"``: targets with noise added.

    Attributes
    ----------
    spectrum
        ``"white"`` (Gaussian) or ``"pink"`` (amplitude falls with spatial frequency).
    level
        ``{ rms = [0.05, 0.1] }``: standard deviations, in units of pixel values from 0 to 1.
    seeds
        One stimulus for each.
    batch, gates, on_miss, retries, name
        As for all kinds.
    """

    kind: ClassVar[str] = "noise"
    axes: ClassVar[frozenset[str]] = frozenset({"level", "seeds"})
    whole: ClassVar[bool] = False
    figures: ClassVar[tuple[str, ...]] = ("rms",)

    spectrum: str = "white"
    level: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    batch: int = 16
    gates: Mapping[str, float] = field(default_factory=dict)
    on_miss: str = "flag"
    retries: int = 2
    name: str = ""

    def __post_init__(self) -> None:
        check_seeds(self.seeds, "noise")
        if self.spectrum not in SPECTRA:
            raise InputError(f"noise.spectrum must be white or pink; not {self.spectrum!r}")

    def specs(self, catalogue: Catalogue) -> tuple[SetSpec, ...]:
        """Return a set for every target and level."""
        for level in levels_of(self.level, "noise"):
            if level is None or level.unit != "rms" or not number_of(level) > 0:
                raise InputError(
                    f"noise.level must be {{ rms = [...] }} with numbers above 0; not {dict(self.level)}"
                )
        return tuple(
            SetSpec(
                label=label_of(target.name, self.name or f"{self.spectrum}-noise", str(level)),
                members=tuple(
                    StimulusSpec(
                        kind=self.kind,
                        role=self.kind,
                        targets=(target.sha256,),
                        models={},
                        level=level,
                        start=Start(type=f"{self.spectrum}_noise", seed=seed),
                        recipe=settings_of(self),
                        code=catalogue.code,
                    )
                    for seed in self.seeds
                ),
            )
            for target in catalogue.targets
            for level in levels_of(self.level, "noise")
        )

    def make(self, batch: Sequence[StimulusSpec], context: Context) -> Iterator[Made]:
        """Yield targets with noise, not clipped: clipping is counted when they are shown."""
        for spec in batch:
            assert spec.start is not None
            target = context.images(spec.targets)
            size = tuple(target.shape)
            if self.spectrum == "pink":
                noise = pink_noise((size[2], size[3]), seed=spec.start.seed).to(target)
                noise = (noise - noise.mean()) / noise.std()
            else:
                noise = gaussian_noise(size, spec.start.seed).to(target)
            image = target + number_of(spec.level) * noise.expand_as(target)
            yield Made(spec=spec, pixels=to_array(image[0]), status="made, not synthesized")

    def certify(
        self, made: Made, frames: Mapping[str, Frame], context: Context
    ) -> Mapping[str, float]:
        """Return the root-mean-square difference of the frame to the target's."""
        return {"rms": rms_pixels(frames[made.spec.targets[0]], frames[made.spec.key])}
