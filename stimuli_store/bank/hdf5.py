"""Bank files as HDF5: write one, describe its parts, read its images."""

import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from stimuli_store.bank.audit import Part, first_fault
from stimuli_store.bank.format import CURVES, LOG, MANIFEST, PIXELS
from stimuli_store.disk.hdf5_bytes import hdf5_bytes, surplus_bytes
from stimuli_store.disk.opening import why_unreadable
from stimuli_store.errors import BankError

_FILTER_NAMES = {h5py.h5z.FILTER_DEFLATE: "deflate", h5py.h5z.FILTER_FLETCHER32: "fletcher32"}
_LAYOUTS = {
    h5py.h5d.COMPACT: "compact",
    h5py.h5d.CONTIGUOUS: "contiguous",
    h5py.h5d.CHUNKED: "chunked",
    h5py.h5d.VIRTUAL: "virtual",
}
_LINKS = {
    h5py.h5l.TYPE_HARD: "hard",
    h5py.h5l.TYPE_SOFT: "soft",
    h5py.h5l.TYPE_EXTERNAL: "external",
}
_KINDS = {h5py.h5o.TYPE_GROUP: "group", h5py.h5o.TYPE_DATASET: "dataset"}
_TEXT_CHUNK = 2**20
_CURVES_CHUNK = 2**18
_CHECKSUM_BYTES = 4  # of fletcher32, which follows the deflated bytes


def page_of(image: np.ndarray) -> str:
    """Return the name of the page that holds images of this shape, as in ``f4_256x256``."""
    return "f4_" + "x".join(str(n) for n in image.shape)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """All that a bank file holds.

    Attributes
    ----------
    manifest
        Its bytes.
    pages
        Name of a page to its images, all of one shape.
    curves
        All loss curves, one after another, float32.
    log
        Facts of the build that are no part of the identity, such as times: lines of JSON.
    attributes
        Attributes of the file.
    """

    manifest: bytes
    pages: Mapping[str, Sequence[np.ndarray]]
    curves: np.ndarray
    log: bytes
    attributes: Mapping[str, str]


def bank_bytes(contents: Contents) -> memoryview:
    """Return the bytes of a bank file with these contents."""

    def fill(file: h5py.File) -> None:
        for key, value in contents.attributes.items():
            file.attrs[key] = np.bytes_(value)
        _add_text(file, MANIFEST, contents.manifest)
        if contents.log:
            _add_text(file, LOG, contents.log)
        if len(contents.curves):
            chunk = (min(len(contents.curves), _CURVES_CHUNK),)
            file.create_dataset(
                CURVES, data=contents.curves.astype("<f4"), chunks=chunk, fletcher32=True
            )
        group = file.create_group(PIXELS)
        for page_name, images in contents.pages.items():
            shape = images[0].shape
            page = group.create_dataset(
                page_name, (len(images), *shape), dtype="<f4", chunks=(1, *shape), fletcher32=True
            )
            for row, image in enumerate(images):
                page[row] = image

    return hdf5_bytes(fill)


def _add_text(file: h5py.File, name: str, text: bytes) -> None:
    file.create_dataset(
        name,
        data=np.frombuffer(text, dtype=np.uint8),
        chunks=(min(len(text), _TEXT_CHUNK),),
        compression="gzip",
        fletcher32=True,
    )


class BankFile:
    """A bank file open for reading, its structure checked once; every failure is a BankError.

    It is opened when it is first read and stays open; a process that was forked, or got it by pickle, opens
    it for itself.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: h5py.File | None = None
        self._process = 0

    def close(self) -> None:
        """Close the file; it is opened again when it is next read."""
        file, self._file = self._file, None
        if file is not None and self._process == os.getpid():
            file.close()

    def __reduce__(self) -> tuple[type["BankFile"], tuple[Path]]:
        return BankFile, (self.path,)

    def manifest(self) -> tuple[bytearray, str]:
        """Return the manifest and the hash that the file's attributes state for it."""
        with self._opened() as file:
            stated = file.attrs.get("content_sha256", b"")
            if not isinstance(stated, bytes | np.bytes_):
                raise BankError(
                    f"{self.path} is not a bank: its content hash is not a plain string"
                )
            return _inflated(file[MANIFEST]), bytes(stated).decode("ascii", "replace")

    def log(self) -> bytes:
        """Return the facts of the build that are no part of the identity; empty if there are none."""
        with self._opened() as file:
            return bytes(_inflated(file[LOG])) if LOG in file else b""

    def curves(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return loss curves, float32; all of them, or the values from `start` up to `stop`."""
        with self._opened() as file:
            found = file[CURVES][start:stop] if CURVES in file else np.empty(0, np.float32)
            if stop is not None and len(found) != stop - start:
                raise BankError(f"{self.path} holds no loss curve from {start} to {stop}")
            return found

    def image(self, page: str, row: int) -> np.ndarray:
        """Return the image at a page and row."""
        with self._opened() as file:
            try:
                return file[f"{PIXELS}/{page}"][row]
            except (KeyError, IndexError, ValueError) as error:
                raise BankError(f"{self.path} holds no image at {page}, row {row}") from error

    @contextmanager
    def _opened(self) -> Iterator[h5py.File]:
        try:
            if self._file is None or self._process != os.getpid():
                self._file, self._process = self._open(), os.getpid()
            yield self._file
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, zlib.error) as error:
            raise BankError(f"{self.path} {why_unreadable(self.path, error)}") from error

    def _open(self) -> h5py.File:
        if not self.path.is_file() and not self.path.is_dir():
            raise BankError(
                f"there is no bank at {self.path}; `stimsynth build PLAN.toml` makes one"
            )
        file = h5py.File(self.path, "r", locking="best-effort")
        try:
            fault = first_fault(_parts(file))
        except BaseException:
            file.close()
            raise
        if not fault and (surplus := surplus_bytes(self.path)):
            fault = f"{surplus} bytes follow its end; take another copy"
        if fault:
            file.close()
            raise BankError(f"{self.path} is not a sound bank: {fault}")
        return file


def _inflated(text: h5py.Dataset) -> bytearray:
    """Return the bytes of a compressed text, inflated by zlib within the declared size.

    HDF5 would inflate a chunk without a limit: a file of 31 kB then takes gigabytes.
    """
    size, (chunk,) = text.shape[0], text.chunks
    whole = bytearray(size)
    for start in range(0, size, chunk):
        mask, stored = text.id.read_direct_chunk((start,))
        if mask:
            raise ValueError("a chunk without its filters")
        # zlib's checksum (Adler-32) covers what is inflated, so that of HDF5 behind it is not needed.
        inflater = zlib.decompressobj()
        part = inflater.decompress(stored[:-_CHECKSUM_BYTES], chunk)
        if len(part) != chunk or not inflater.eof:
            raise ValueError("a chunk of another size than declared")
        whole[start : start + chunk] = part[: size - start]
    return whole


def _parts(file: h5py.File) -> Iterator[Part]:
    """Yield a description of each object of a file, read from its header; links are not followed."""
    for name in file.id:
        part = _describe(file.id, name, "")
        yield part
        if part.path == PIXELS and part.kind == "group" and part.link == "hard":
            group = h5py.h5g.open(file.id, name)
            for page in group:
                yield _describe(group, page, PIXELS + "/")


def _describe(group: h5py.h5g.GroupID, name: bytes, prefix: str) -> Part:
    path = prefix + name.decode("utf-8", "replace")
    link = _LINKS.get(group.links.get_info(name).type, "user-defined")
    if link != "hard":
        return Part(path=path, kind="link", link=link)
    info = h5py.h5o.get_info(group, name)
    kind = _KINDS.get(info.type, "named type")
    if kind != "dataset":
        return Part(path=path, kind=kind, link=link, links_to_it=info.rc)
    dataset = h5py.h5d.open(group, name)
    properties = dataset.get_create_plist()
    layout = _LAYOUTS.get(properties.get_layout(), "unknown")
    filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    return Part(
        path=path,
        kind=kind,
        link=link,
        links_to_it=info.rc,
        dtype=dataset.dtype.str,
        shape=dataset.shape,
        chunk=properties.get_chunk() if layout == "chunked" else (),
        layout=layout,
        filters=tuple(_FILTER_NAMES.get(code, str(code)) for code in filters),
        external_files=properties.get_external_count(),
        stored_bytes=dataset.get_storage_size(),
    )
