"""External pictures: files that somebody else made, with their hashes; nothing is synthesized."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from stimsynth.banks.faults import together
from stimsynth.banks.measures import rms_pixels
from stimsynth.banks.recipe import Catalogue, Context, Made, label_of, register_recipe, settings_of
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.frames import Frame
from stimuli_store.records.spec import SetSpec, StimulusSpec


@register_recipe
@dataclass(frozen=True, kw_only=True)
class ExternalRecipe:
    """``kind = "external"``: pictures in files beside the plan.

    Attributes
    ----------
    files
        Names, folders or patterns, as ``"others/*.png"``.
    license
        Licence of the files.
    target
        Name of the target that they are compared with; empty if each stands for itself.
    size
        Side of the square that they are brought to (the largest in the middle, averaged down); None to keep
        them as they are.
    colour
        ``"gray"``, ``"rgb"``, or ``"any"`` for what a file has.
    file, sha256
        Set for each stimulus: the name of its file and the SHA-256 of its bytes.
    batch, gates, on_miss, retries, name
        As for all kinds.
    """

    kind: ClassVar[str] = "external"
    axes: ClassVar[frozenset[str]] = frozenset({"files", "target"})
    whole: ClassVar[bool] = False
    figures: ClassVar[tuple[str, ...]] = ("pixel_rms",)

    files: tuple[str, ...] | str = ()
    license: str = ""
    target: str = ""
    size: int | None = None
    colour: str = "any"
    file: str = ""
    sha256: str = ""
    batch: int = 64
    gates: Mapping[str, float] = field(default_factory=dict)
    on_miss: str = "flag"
    retries: int = 0
    name: str = "external"

    def __post_init__(self) -> None:
        if self.colour not in ("gray", "rgb", "any"):
            raise InputError(f"external.colour must be gray, rgb or any; not {self.colour!r}")

    def specs(self, catalogue: Catalogue) -> tuple[SetSpec, ...]:
        """Return one set with all files."""
        patterns = (self.files,) if isinstance(self.files, str) else self.files
        named = {target.name: target.sha256 for target in catalogue.targets}
        with together() as faults:
            if not self.license.strip():
                faults.sentences.append(
                    'an external set needs a licence, as in license = "CC-BY-4.0"'
                )
            if self.target and self.target not in named:
                faults.sentences.append(str(unknown_name("target", self.target, list(named))))
            with faults.collect():
                files = catalogue.files(patterns, self.size, self.colour, self.license)
        members = tuple(
            StimulusSpec(
                kind=self.kind,
                role=found.name,
                targets=(named.get(self.target, found.sha256),),
                models={},
                recipe={**settings_of(self), "file": found.file, "sha256": found.file_sha256},
                code=catalogue.code,
            )
            for found in files
        )
        return (SetSpec(label=label_of(self.target, self.name), members=members),)

    def make(self, batch: Sequence[StimulusSpec], context: Context) -> Iterator[Made]:
        """Yield the pictures as they were read from their files."""
        for spec in batch:
            picture = context.file(spec.recipe)
            license = str(spec.recipe["license"])
            yield Made(spec=spec, pixels=picture, status="taken from a file", license=license)

    def certify(
        self, made: Made, frames: Mapping[str, Frame], context: Context
    ) -> Mapping[str, float]:
        """Return the difference of the frame to its target's frame; nothing without a target of its shape."""
        target, frame = frames.get(made.spec.targets[0]), frames[made.spec.key]
        if target is None or target.pixels.shape != frame.pixels.shape:
            return {}
        return {"pixel_rms": rms_pixels(target, frame)}
