"""A stimulus: master pixels, their origin, and the measurements made on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from stimuli_store.frames import quantize
from stimuli_store.pictures.encoding import enlarged
from stimuli_store.records.spec import Level, ModelRef, Start, StimulusSpec
from stimuli_store.tools.shown import FactSheet, size_of


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Measurements on exactly the pixels that a screen will show, after clipping and quantization.

    Attributes
    ----------
    bits
        Depth of the frame (8).
    frame_sha256
        Identity of that frame; the booth compares it with the frame it showed.
    clipped_fraction
        Share of pixels that quantization had to clip.
    status
        How the synthesis ended, as a sentence.
    figures
        What its kind is measured by, in float64 on the frame: the distances of a metamer, the metric values
        and drift of a MAD image, … The names of each kind are in ``docs/formats/stimbank-1.md``.
    gates
        Largest absolute values that figures, or the clipped fraction, were to have; a stimulus that misses
        one has a flag.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> bank.records[-1].certificate.bits, sorted(bank.records[-1].certificate.figures)
    (8, ['distance', 'relative_distance', 'start_distance'])
    """

    bits: int
    frame_sha256: str
    clipped_fraction: float
    status: str
    figures: Mapping[str, float] = field(default_factory=dict)
    gates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch as it was synthesized, on which the last digits of its members depend.

    Attributes
    ----------
    members
        Keys of the specifications of its members (`StimulusSpec.key`), in order.
    threads
        Number of threads of the computation.
    device
        Where it ran, as ``"cpu"`` or ``"cuda"``.
    environment
        Name to version of what can change the last digits: stimsynth, Python, numpy, torch, the platform.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> batch = next(record.batch for record in bank.records if record.batch)
    >>> batch.threads, batch.device
    (1, 'cpu')
    """

    members: tuple[str, ...]
    threads: int
    device: str
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, repr=False)
class StimulusRecord(FactSheet):
    """One stimulus of a bank, all but its pixels.

    Attributes
    ----------
    sha256
        Pixel id of the master pixels.
    kind
        ``"reference"``, or the kind of its recipe.
    set, member, role, name
        Set it belongs to, place in it from 0, part it plays, and a name that is unique within the bank.
    targets
        Pixel ids of the images it was made from; a reference names itself.
    shape
        (H, W) or (H, W, C).
    certificate
        Measurements on its frame.
    license
        Licence under which it may be used.
    spec
        How to make it again; None for references.
    batch
        The batch in which it was synthesized, which affects its last digits; None if it was not synthesized.
    range
        Smallest and largest value of the master, and the shares of values below 0 and above 1.
    flags
        Quality gates that it misses, and other remarks.
    planned_start
        The start that was planned, where that stimulus missed a gate and this one began from another; it was
        part of its companions' batch.
    page, row
        Where its pixels lie in the file.
    curve
        Where its loss curve lies in the file: first value and number of values.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> record = bank.records[-1]
    >>> record.kind, record.shape == bank.pixels(record.name).shape, record.target in bank.references
    ('metamer', True, True)
    """

    sha256: str
    kind: str
    set: str
    member: int
    role: str
    name: str
    targets: tuple[str, ...]
    shape: tuple[int, ...]
    certificate: Certificate
    license: str
    spec: StimulusSpec | None = None
    batch: Batch | None = None
    range: Mapping[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    planned_start: Start | None = None
    page: str = ""
    row: int = 0
    curve: tuple[int, int] = (0, 0)

    def _facts(self) -> list[tuple[str, object]]:
        figures = self.certificate.figures.items()
        return [
            ("name", self.name),
            ("kind", self.kind),
            ("size", size_of(self.shape)),
            ("level", self.level or ""),
            ("figures", ", ".join(f"{name} {value:.3g}" for name, value in figures)),
            ("flags", "; ".join(self.flags)),
            ("sha256", self.sha256[:16]),
        ]

    @property
    def target(self) -> str:
        """Pixel id of its first target."""
        return self.targets[0]

    @property
    def level(self) -> Level | None:
        """Level on the axis that the experiment varies."""
        return self.spec.level if self.spec else None

    @property
    def start(self) -> Start | None:
        """The image that its synthesis began from."""
        return self.spec.start if self.spec else None

    @property
    def models(self) -> Mapping[str, ModelRef]:
        """Models and metrics it was made with, by the part that they play."""
        return self.spec.models if self.spec else {}


@dataclass(frozen=True, kw_only=True, repr=False)
class Stimulus(FactSheet):
    """Master pixels with their record and the loss at every step.

    Attributes
    ----------
    pixels
        Master image, float32, (H, W) or (H, W, C); 0 is black and 1 is white, and a master may exceed both.
    record
        All that a bank keeps of it but the pixels.
    losses
        Loss at the start and after every step of its synthesis, float32; empty if it was not synthesized.

    Examples
    --------
    >>> import numpy as np
    >>> from stimsynth import describe_reference
    >>> leaf = describe_reference(np.full((8, 8), 0.5), "leaf", "CC0-1.0")
    >>> leaf.record.name, leaf.pixels.shape
    ('leaf', (8, 8))
    """

    pixels: np.ndarray = field(repr=False)
    record: StimulusRecord
    losses: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32), repr=False)

    def _facts(self) -> list[tuple[str, object]]:
        steps = max(len(self.losses) - 1, 0)
        return [*self.record._facts(), ("steps", steps or "")]

    def _pictures(self) -> str:
        return enlarged(quantize(self.pixels).pixels, self.record.name)
