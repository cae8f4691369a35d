"""stimbank/1 in constants: names, limits, patterns. The prose is docs/formats/stimbank-1.md."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from stimuli_store.errors import InputError
from stimuli_store.records.spec import ModelRef

FORMAT = "stimbank/1"
MANIFEST = "manifest"
PIXELS = "pixels"
MAX_CHUNK_BYTES = 64 * 2**20
MAX_MANIFEST_BYTES = 512 * 2**20
MAX_PIXEL_BYTES = 1_500_000_000  # above this a bank needs packs, which this release does not write

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")
_PIN = re.compile(r"(?P<name>[^@#]+)@(?P<version>[^@#]+)#(?P<hash>[0-9a-f]{16})")


@dataclass(frozen=True, kw_only=True)
class Colour:
    """What pixel values mean: colour space and transfer (``"srgb"`` or ``"linear"``)."""

    space: str = "gray"
    transfer: str = "srgb"


@dataclass(frozen=True, kw_only=True)
class BankHeader:
    """Line 0 of a manifest. `models` are those that the bank's predictions speak for."""

    name: str
    version: str
    license: str
    creators: tuple[str, ...] = ()
    colour: Colour = field(default_factory=Colour)
    models: tuple[ModelRef, ...] = ()
    environments: tuple[Mapping[str, str], ...] = ()
    parent: Mapping[str, str] | None = None
    packs: tuple[Mapping[str, str], ...] = ()
    plan_sha256: str | None = None
    format: str = FORMAT

    def __post_init__(self) -> None:
        check_name(self.name)
        check_version(self.version)


def check_name(name: str) -> str:
    """Return `name` if it can name a bank.

    Examples
    --------
    >>> check_name("texture-metamers")
    'texture-metamers'
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"a bank's name is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit; not {name!r}"
        )
    return name


def check_version(version: str) -> str:
    """Return `version` if it is three numbers with dots, as in ``1.0.0``."""
    if not _VERSION.fullmatch(version):
        raise InputError(f"a bank's version is three numbers, as in 1.0.0; not {version!r}")
    return version


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A bank named exactly: ``name@version#hash``, the hash being 16 digits of the version id."""

    name: str
    version: str
    hash: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}#{self.hash}"


def parse_pin(text: str) -> Pin:
    """Return the pin that `text` spells.

    Examples
    --------
    >>> parse_pin("demo@1.0.0#0123456789abcdef").version
    '1.0.0'
    """
    match = _PIN.fullmatch(text)
    if not match:
        raise InputError(
            f"a pin reads name@version#hash with 16 hexadecimal digits, as `stimsynth bank info` prints it; "
            f"not {text!r}"
        )
    return Pin(
        name=check_name(match["name"]), version=check_version(match["version"]), hash=match["hash"]
    )
