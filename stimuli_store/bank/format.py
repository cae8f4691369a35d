"""Constants of the format stimbank/1: names, limits, patterns. docs/formats/stimbank-1.md describes it."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from stimuli_store.errors import InputError
from stimuli_store.records.spec import ModelRef
from stimuli_store.tools.shown import FactSheet

FORMAT = "stimbank/1"
MANIFEST = "manifest"
PIXELS = "pixels"
CURVES = "curves"
LOG = "log"
MAX_CHUNK_BYTES = 64 * 2**20
MAX_MANIFEST_BYTES = 64 * 2**20
MAX_STIMULI = 1_000_000
MAX_PREDICTIONS = 2_000_000
MAX_PIXEL_BYTES = 1_500_000_000  # above this a bank needs packs, which this release does not write

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")
_PIN = re.compile(r"(?P<name>[^@#]+)@(?P<version>[^@#]+)#(?P<hash>[0-9a-f]{16})")


@dataclass(frozen=True, kw_only=True)
class Colour:
    """Colour space and transfer function of pixel values.

    Attributes
    ----------
    space
        ``"gray"`` for images (H, W), ``"rgb"`` for images (H, W, 3).
    transfer
        ``"srgb"`` for values that are coded as in picture files, ``"linear"`` for values in proportion to
        luminance.

    Examples
    --------
    >>> Colour(space="rgb").transfer
    'srgb'
    """

    space: str = "gray"
    transfer: str = "srgb"


@dataclass(frozen=True, kw_only=True, repr=False)
class BankHeader(FactSheet):
    """Header of a bank, line 0 of its manifest, without the tables that records refer to.

    Attributes
    ----------
    name, version, license, creators
        As a plan gives them.
    colour
        Colour space and transfer function of pixel values.
    ppd
        Pixels per degree of visual angle at which the images are meant to be seen, or None if that is open.
    models
        Models and metrics that have predictions in the bank.
    parent
        Name, version and version id of the bank that this version was made from, or None.
    changes
        Changes since the parent, one sentence each, with their reasons.
    plan_sha256
        Identity of the plan that a build published, or None.
    curves_sha256
        SHA-256 of all loss curves, or None where there are none.
    format
        Name and version of the file format.

    Raises
    ------
    InputError
        If the name, the version or the pixels per degree are not valid.

    Examples
    --------
    >>> BankHeader(name="textures", version="1.0.0", license="CC0-1.0").name
    'textures'
    """

    name: str
    version: str
    license: str
    creators: tuple[str, ...] = ()
    colour: Colour = field(default_factory=Colour)
    models: tuple[ModelRef, ...] = ()
    parent: Mapping[str, str] | None = None
    changes: tuple[str, ...] = ()
    plan_sha256: str | None = None
    curves_sha256: str | None = None
    ppd: float | None = None
    format: str = FORMAT

    def _facts(self) -> list[tuple[str, object]]:
        return [
            ("name", self.name),
            ("version", self.version),
            ("license", self.license),
            ("colour", f"{self.colour.space}, {self.colour.transfer}"),
            ("ppd", "" if self.ppd is None else f"{self.ppd:g}"),
            ("models", ", ".join(model.label for model in self.models)),
            ("changes", "; ".join(self.changes)),
        ]

    def __post_init__(self) -> None:
        check_name(self.name)
        check_version(self.version)
        check_ppd(self.ppd, "a bank's ppd")


def check_name(name: str) -> str:
    """Return `name` if it is a valid name of a bank; raise InputError if not.

    Examples
    --------
    >>> check_name("texture-metamers")
    'texture-metamers'
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            "a bank's name must have 1 to 64 characters of a-z 0-9 . _ - and begin with a letter or digit; "
            f"not {name!r}"
        )
    return name


def check_ppd(ppd: float | None, what: str) -> float | None:
    """Return `ppd` if it is None or a positive number of pixels per degree; raise InputError if not."""
    if ppd is not None and not (math.isfinite(ppd) and ppd > 0):
        raise InputError(f"{what} must be a positive number of pixels per degree; not {ppd}")
    return ppd


def check_version(version: str) -> str:
    """Return `version` if it is three numbers with dots, as in ``1.0.0``; raise InputError if not."""
    if not _VERSION.fullmatch(version):
        raise InputError(f"a bank's version must be three numbers, as in 1.0.0; not {version!r}")
    return version


@dataclass(frozen=True, kw_only=True)
class Pin:
    """Exact name of a bank: ``name@version#hash``, where hash is 16 digits of the version id."""

    name: str
    version: str
    hash: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}#{self.hash}"


def parse_pin(text: str) -> Pin:
    """Return the pin written in `text`.

    Examples
    --------
    >>> parse_pin("demo@1.0.0#0123456789abcdef").version
    '1.0.0'
    """
    match = _PIN.fullmatch(text)
    if not text:
        raise InputError(
            "the pin is empty; `stimsynth build PLAN.toml` fills it in, or write the one that "
            "`stimsynth bank info BANK.h5` prints"
        )
    if not match:
        raise InputError(
            "a pin must have the form name@version#hash with 16 hexadecimal digits, as printed by "
            f"`stimsynth bank info`; not {text!r}"
        )
    return Pin(
        name=check_name(match["name"]), version=check_version(match["version"]), hash=match["hash"]
    )
