"""What is needed to make a stimulus again: plain values only, no tensors, no paths."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stimuli_store.records.canonical import key_of
from stimuli_store.records.convert import to_json


@dataclass(frozen=True, kw_only=True)
class ModelRef:
    """A model by the label the bank uses for it, its class name and its constructor's arguments.

    `weights_sha256` identifies the values of its parameters and buffers, so that a retrained network
    under an old name is another model.
    """

    label: str
    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    weights_sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Level:
    """Where a stimulus stands on the axis that the experiment varies, with its unit."""

    value: float
    unit: str


@dataclass(frozen=True, kw_only=True)
class Start:
    """The image a synthesis began from: its type (``"uniform_noise"``, …) and the seed that drew it."""

    type: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class StimulusSpec:
    """Everything needed to make one stimulus again. Its `key` names the finished work on disk."""

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
        """A name a person can read, unique within a bank: target, then level."""
        return f"{self.target_name}/{self.level.unit}={self.level.value:g}"
