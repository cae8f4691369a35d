"""Rules for the structure of a bank file, checked on a plain description of its parts.

HDF5 can do far more than a bank needs: follow links to other files, map any local file in as pixels,
run filter plug-ins, declare terabytes in a kilobyte. Each rule here refuses one of those, before a
single dataset is opened. `stimuli_store.bank.hdf5` makes the descriptions.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from stimuli_store.bank.format import (
    CURVES,
    LOG,
    MANIFEST,
    MAX_CHUNK_BYTES,
    MAX_MANIFEST_BYTES,
    PIXELS,
)

_PAGE = re.compile(PIXELS + r"/f4_\d{1,5}x\d{1,5}(x\d{1,2})?")
_MAX_PARTS = 1000
_MAX_DEFLATE_RATIO = 1100  # deflate cannot do better than 1032 to 1
FILTERS = {"deflate", "fletcher32"}
TEXTS = (MANIFEST, LOG)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One object of an HDF5 file as its headers describe it.

    `kind` is ``"group"``, ``"dataset"`` or another HDF5 object type; `link` is ``"hard"`` or another
    type of link. Sizes are in bytes.
    """

    path: str
    kind: str
    link: str
    links_to_it: int = 1
    dtype: str = ""
    shape: tuple[int, ...] = ()
    chunk: tuple[int, ...] = ()
    layout: str = ""
    filters: tuple[str, ...] = ()
    external_files: int = 0
    stored_bytes: int = 0

    @property
    def item_bytes(self) -> int:
        """Number of bytes of one value; 0 for a type that a bank may not hold."""
        return {"|u1": 1, "<f4": 4}.get(self.dtype, 0)


def first_fault(parts: Iterable[Part]) -> str | None:
    """Return a sentence that names the first part a bank may not have, or None if all are allowed.

    Examples
    --------
    >>> first_fault([Part(path="pixels", kind="group", link="external")])
    'pixels is an external link; a bank has hard links only'
    """
    seen = set()
    for number, part in enumerate(parts):
        if number >= _MAX_PARTS:
            return f"it has more than {_MAX_PARTS} parts"
        fault = _link_fault(part) or (_dataset_fault(part) if part.kind == "dataset" else None)
        if fault:
            return fault
        seen.add(part.path)
    return None if MANIFEST in seen else "it has no manifest"


def _link_fault(part: Part) -> str | None:
    if part.link != "hard":
        return f"{part.path} is {_an(part.link)} link; a bank has hard links only"
    if part.links_to_it != 1:
        return f"{part.path} is reached by {part.links_to_it} links; a bank has one for each object"
    is_group = part.path == PIXELS and part.kind == "group"
    is_page = bool(_PAGE.fullmatch(part.path)) and part.kind == "dataset"
    is_text = part.path in (*TEXTS, CURVES) and part.kind == "dataset"
    if not (is_group or is_page or is_text):
        return f"{part.path} ({part.kind}) is not part of a bank"
    return None


def _dataset_fault(part: Part) -> str | None:
    if part.external_files or part.layout != "chunked":
        return f"{part.path} does not store its values as chunks of this file ({part.layout})"
    if not set(part.filters) <= FILTERS:
        return f"{part.path} asks for the filters {', '.join(part.filters)}"
    wanted = "|u1" if part.path in TEXTS else "<f4"
    if part.dtype != wanted:
        return f"{part.path} is of type {part.dtype}, not {wanted}"
    if prod(part.chunk) * part.item_bytes > MAX_CHUNK_BYTES:
        return f"{part.path} has chunks of over {MAX_CHUNK_BYTES} bytes"
    if part.path in TEXTS:
        return _text_size_fault(part)
    return _curves_size_fault(part) if part.path == CURVES else _page_size_fault(part)


def _text_size_fault(part: Part) -> str | None:
    declared = prod(part.shape)
    if len(part.shape) != 1 or declared > MAX_MANIFEST_BYTES:
        return f"the {part.path} declares {declared} bytes, over the limit of {MAX_MANIFEST_BYTES}"
    if declared > _MAX_DEFLATE_RATIO * part.stored_bytes:
        return f"the {part.path} declares {declared} bytes but stores {part.stored_bytes}"
    if part.filters != ("deflate", "fletcher32"):
        return f"the {part.path} has other filters than deflate and fletcher32"
    return None


def _curves_size_fault(part: Part) -> str | None:
    if len(part.shape) != 1 or part.filters != ("fletcher32",):
        return f"{part.path} is no checksummed row of values"
    if prod(part.shape) * part.item_bytes > part.stored_bytes:
        return f"{part.path} declares {prod(part.shape)} values, but does not store all of them"
    return None


def _page_size_fault(part: Part) -> str | None:
    images = part.shape[0] if part.shape else 0
    if part.chunk != (1, *part.shape[1:]):
        return f"{part.path} is not chunked by image"
    shape = "x".join(str(n) for n in part.shape[1:])
    if part.path != f"{PIXELS}/f4_{shape}":
        return f"{part.path} holds images of {shape}"
    if part.filters != ("fletcher32",):
        return f"{part.path} has other filters than fletcher32 checksums"
    expected = images * (prod(part.chunk) * part.item_bytes + 4)  # each chunk carries a checksum
    if part.stored_bytes != expected:
        return f"{part.path} declares {images} images, but does not store all of their bytes"
    return None


def _an(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
