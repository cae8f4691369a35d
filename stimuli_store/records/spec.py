"""Specification of a stimulus: all settings needed to make it again, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stimuli_store.records.canonical import key_of
from stimuli_store.records.convert import to_json


@dataclass(frozen=True, kw_only=True)
class ModelRef:
    """Reference to a model or metric in a bank: its source, arguments, and identifying hashes.

    Attributes
    ----------
    label
        Name that the bank uses for it.
    name
        A bundled model or metric (``"UniformPooling"``), or the factory of a user's own model
        (``"models.py:retina"``, ``"mylab.models:retina"``).
    params
        Arguments of the constructor or factory.
    layer
        For one layer of a network: its name and how images are prepared, as for `stimsynth.features`.
    weights_sha256
        Identity of its parameters and buffers.
    sources
        SHA-256 of each source file by name, for a user's own model.
    probe
        A few numbers of its output on three fixed images. They are compared with rtol 1e-4 and are no part
        of the identity, since they differ in the last digits between machines.

    Examples
    --------
    >>> ModelRef(label="pool", name="UniformPooling", params={"window_px": 8}).label
    'pool'
    """

    label: str
    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    layer: Mapping[str, Any] | None = None
    weights_sha256: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    probe: tuple[float, ...] = ()

    @property
    def identity(self) -> dict[str, Any]:
        """All of it but the label and the probe, as JSON values."""
        whole = to_json(self)
        return {name: value for name, value in whole.items() if name not in ("label", "probe")}


@dataclass(frozen=True, kw_only=True)
class Level:
    """Level of a stimulus on the axis that the experiment varies.

    Attributes
    ----------
    value
        A number, or a word where levels have names.
    unit
        What the number counts, as ``"window_px"``; for words, what they name.

    Examples
    --------
    >>> Level(value=8, unit="window_px").unit
    'window_px'
    """

    value: float | str
    unit: str

    def __str__(self) -> str:
        shown = self.value if isinstance(self.value, str) else f"{self.value:g}"
        return f"{self.unit}={shown}"


@dataclass(frozen=True, kw_only=True)
class Start:
    """The image a synthesis began from.

    Attributes
    ----------
    type
        How it was made, as ``"uniform_noise"``.
    seed
        Seed of the random numbers that drew it.

    Examples
    --------
    >>> Start(type="uniform_noise", seed=3).seed
    3
    """

    type: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class StimulusSpec:
    """Everything needed to make one stimulus again, but for the pixels of its targets.

    Attributes
    ----------
    kind
        Name of the recipe, as ``"metamer"``.
    role
        Part that it plays in its set, as ``"metamer"`` or ``"ssim_max"``.
    targets
        Pixel ids of the images it is made from; one, or the two ends of a geodesic.
    models
        Models and metrics by the part that they play, as ``{"model": …}``.
    level, start
        None where there is none.
    recipe
        Settings of the recipe, as JSON values.
    code
        Package, version and SHA-256 of the code that makes it.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> spec = bank.records[-1].spec
    >>> spec.kind, spec.level.unit, spec.start.seed
    ('metamer', 'window_px', 1)
    """

    kind: str
    role: str
    targets: tuple[str, ...]
    models: Mapping[str, ModelRef]
    recipe: Mapping[str, Any]
    code: Mapping[str, str]
    level: Level | None = None
    start: Start | None = None

    @property
    def key(self) -> str:
        """SHA-256 of its canonical JSON, without labels and probes of models (64 hexadecimal digits)."""
        models = {part: model.identity for part, model in self.models.items()}
        return key_of({**to_json(self), "models": models})


@dataclass(frozen=True, kw_only=True)
class SetSpec:
    """Stimuli that are compared with each other, under a name that is unique within a bank."""

    label: str
    members: tuple[StimulusSpec, ...]
