"""Lines of a manifest as typed structures, encoded and decoded by a compiled library.

A row names what many rows share (models, recipes, batches, …) by its place in a table of the header, and
stimuli by their place among the stimuli.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

#: Largest number of values in a line; longer columns continue in further lines.
BLOCK = 100_000
MAX_LINE_BYTES = 4 * 2**20
MAX_HEADER_BYTES = 16 * 2**20
#: Values, lists and tables of a header; each may take 70 bytes of memory, however short it is written.
MAX_HEADER_PARTS = 600_000
MAX_DEPTH = 16
MAX_SHARED_BYTES = 2**18

# Controls, line and paragraph separators, and marks that turn the direction of what is printed after them.
_PRINTED = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
_END = r"$(?!\n)"  # in Python $ alone lets a line break follow
Sha = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{64}}{_END}")]
Text = Annotated[str, Meta(max_length=1000, pattern=rf"^{_PRINTED}*{_END}")]
Name = Annotated[str, Meta(min_length=1, max_length=400, pattern=rf"^{_PRINTED}+{_END}")]
RowPlace = Annotated[int, Meta(ge=0, lt=2**31)]
Count = Annotated[int, Meta(ge=0, lt=2**53)]
Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
RowPlaces = Annotated[list[RowPlace], Meta(max_length=BLOCK)]
Figures = Annotated[dict[Name, float], Meta(max_length=100)]
Values = Annotated[list[float | None], Meta(max_length=BLOCK)]


class ModelRow(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A model or metric; see `stimuli_store.records.spec.ModelRef`."""

    label: Name
    name: Name
    params: dict[Name, Any] = {}
    layer: dict[Name, Any] | None = None
    weights_sha256: str = ""
    sources: dict[Name, Sha] = {}
    probe: tuple[float, ...] = ()


class LevelRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A level: a number or a word, and its unit."""

    value: float | Text
    unit: Name


class StartRow(Struct, frozen=True, forbid_unknown_fields=True):
    """The image a synthesis began from."""

    type: Name
    seed: int


class SetRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A set: its name and the kind of its members."""

    label: Name
    kind: Name


class BatchRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A batch: keys of the specs of its members, threads, device, and place of its environment."""

    members: list[Sha]
    threads: RowPlace
    device: Name
    environment: RowPlace


class SpecRow(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A spec; models, recipe and code are places in the header's tables."""

    models: Annotated[dict[Name, RowPlace], Meta(max_length=16)]
    recipe: RowPlace
    code: RowPlace
    level: LevelRow | None = None
    start: StartRow | None = None


class ColourRow(Struct, frozen=True, forbid_unknown_fields=True):
    """Colour space and transfer of pixel values."""

    space: Name
    transfer: Name


class Header(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="header"):
    """First line. `predicting` are places in `models`: those that the predictions speak for."""

    format: Name
    name: Name
    version: Name
    license: Text
    colour: ColourRow
    creators: list[Text] = []
    models: list[ModelRow] = []
    predicting: list[RowPlace] = []
    recipes: list[dict[Name, Any]] = []
    codes: list[dict[Name, Text]] = []
    environments: list[dict[Name, Text]] = []
    batches: list[BatchRow] = []
    sets: list[SetRow] = []
    gates: list[Figures] = []
    licenses: list[Text] = []
    parent: dict[Name, Text] | None = None
    changes: list[Text] = []
    plan_sha256: Sha | None = None
    curves_sha256: Sha | None = None
    ppd: Positive | None = None


class StimulusRow(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="stimulus"
):
    """One stimulus; `set` and `license` are places in the header, `targets` among the stimuli."""

    sha256: Sha
    frame_sha256: Annotated[str, Meta(pattern=rf"^([0-9a-f]{{64}})?{_END}")]
    page: Annotated[str, Meta(pattern=rf"^f4_[0-9]{{1,5}}x[0-9]{{1,5}}(x[0-9]{{1,2}})?{_END}")]
    row: RowPlace
    set: RowPlace
    member: RowPlace
    role: Name
    name: Name
    targets: Annotated[list[RowPlace], Meta(min_length=1, max_length=2)]
    license: RowPlace
    bits: Annotated[int, Meta(ge=0, le=16)]
    status: Text
    clipped: Share = 0.0
    figures: Figures = {}
    gates: RowPlace | None = None
    range: Figures = {}
    spec: SpecRow | None = None
    batch: RowPlace | None = None
    curve: tuple[Count, Count] = (0, 0)
    flags: Annotated[list[Text], Meta(max_length=100)] = []
    planned_start: StartRow | None = None


class PairsRow(Struct, frozen=True, forbid_unknown_fields=True, tag="pairs"):
    """Pairs of stimuli, by their places; several lines are one column."""

    a: RowPlaces
    b: RowPlaces


class DistancesRow(Struct, frozen=True, forbid_unknown_fields=True, tag="distances"):
    """The distance of one model, by its place in the header's models, for every pair."""

    model: RowPlace
    values: Values


class TriplesRow(Struct, frozen=True, forbid_unknown_fields=True, tag="triples"):
    """Triples (reference, a, b) of stimuli, by their places."""

    reference: RowPlaces
    a: RowPlaces
    b: RowPlaces


class PreferencesRow(Struct, frozen=True, forbid_unknown_fields=True, tag="preferences"):
    """Preferences of one model: for every triple, by how much `a` is nearer to the reference than `b`."""

    model: RowPlace
    values: Values


Row = Header | StimulusRow | PairsRow | DistancesRow | TriplesRow | PreferencesRow
#: Types of lines in the order in which they may come.
ORDER: tuple[type, ...] = (Header, StimulusRow, PairsRow, DistancesRow, TriplesRow, PreferencesRow)

_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(Row)


def encode(row: Row) -> bytes:
    """Return a row as canonical JSON: sorted keys, no spaces, defaults left out."""
    return _ENCODER.encode(row)


def decode(line: bytes | bytearray, *, first: bool = False) -> Row:
    """Return the row that a line spells; the first line, the header, may be longer than others.

    Raises
    ------
    ValueError
        If it is no such row: of another type, not finite, with unknown keys, or a key twice.
    """
    limit = MAX_HEADER_BYTES if first else MAX_LINE_BYTES
    if len(line) > limit:
        raise ValueError(f"it is longer than {limit} bytes")
    if first and sum(map(line.count, (b"[", b"{", b","))) > MAX_HEADER_PARTS:
        raise ValueError(f"it has more than {MAX_HEADER_PARTS} parts")
    row = _DECODER.decode(line)
    # The decoder takes the last of two equal keys. What is written again byte for byte has none.
    if encode(row) != line and _has_key_twice(line):
        raise ValueError("it has a key twice")
    if isinstance(row, Header):
        _check_shared(row)
    return row


def _check_shared(header: Header) -> None:
    """Refuse shared values that are large or deep: thousands of records may name each of them."""
    for row in (*header.models, *header.recipes, *header.codes, *header.environments):
        size = len(_ENCODER.encode(row))
        if size > MAX_SHARED_BYTES:
            raise ValueError(f"a row of its tables takes {size} bytes, over {MAX_SHARED_BYTES}")
    for model in header.models:
        _check_depth((model.params, model.layer), MAX_DEPTH)
    _check_depth(header.recipes, MAX_DEPTH)


def _check_depth(value: Any, left: int) -> None:
    if isinstance(value, dict | list | tuple):
        if not left:
            raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
        for part in value.values() if isinstance(value, dict) else value:
            _check_depth(part, left - 1)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a line."""
    return msgspec.json.schema(Row)


def _has_key_twice(line: bytes | bytearray) -> bool:
    import json

    found = False

    def pairs(items: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len({key for key, _ in items}) != len(items)

    json.loads(line, object_pairs_hook=pairs)
    return found
