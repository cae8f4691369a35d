"""Specifications from which a stimulus can be made again: plain values only, no tensors, no paths."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stimuli_store.records.canonical import key_of
from stimuli_store.records.convert import to_json


@dataclass(frozen=True, kw_only=True)
class ModelRef:
    """Reference to a model: its label in the bank, its class name and its constructor's arguments.

    `weights_sha256` identifies the values of its parameters and buffers, so that a retrained network
    with the old name counts as another model.
    """

    label: str
    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    weights_sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Level:
    """Value and unit of the variable that the experiment varies, such as a window's scaling."""

    value: float
    unit: str


@dataclass(frozen=True, kw_only=True)
class Start:
    """The image a synthesis began from: its type (``"uniform_noise"``, …) and the seed that drew it."""

    type: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class StimulusSpec:
    """Everything needed to make one stimulus again. Its `key` names the finished stimulus on disk."""

    kind: str
    target_sha256: str
    model: ModelRef
    level: Level
    start: Start
    recipe: Mapping[str, Any]
    code: Mapping[str, str]

    @property
    def key(self) -> str:
        """SHA-256 of the canonical JSON of this spec (64 hexadecimal digits)."""
        return key_of(to_json(self))


@dataclass(frozen=True, kw_only=True)
class SetSpec:
    """A metamer set: one target at one level of one model, a member for every seed."""

    target_sha256: str
    target_name: str
    model: ModelRef
    level: Level
    members: tuple[StimulusSpec, ...]

    @property
    def label(self) -> str:
        """Readable name of the set, unique within a bank: target, then level."""
        return f"{self.target_name}/{self.level.unit}={self.level.value:g}"
