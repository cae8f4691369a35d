"""Bank files as HDF5: write one, describe its parts, read its images."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from stimuli_store.bank.audit import Part, first_fault
from stimuli_store.bank.format import MANIFEST, PIXELS
from stimuli_store.disk.hdf5_bytes import hdf5_bytes
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
_MANIFEST_CHUNK = 2**20


def page_of(image: np.ndarray) -> str:
    """Return the name of the page that holds images of this shape, as in ``f4_256x256``."""
    return "f4_" + "x".join(str(n) for n in image.shape)


def bank_bytes(
    manifest: bytes, pages: Mapping[str, Sequence[np.ndarray]], attributes: Mapping[str, str]
) -> memoryview:
    """Return the content of a bank file: a manifest, images by page, and attributes of the root."""

    def fill(file: h5py.File) -> None:
        for key, value in attributes.items():
            file.attrs[key] = np.bytes_(value)
        file.create_dataset(
            MANIFEST,
            data=np.frombuffer(manifest, dtype=np.uint8),
            chunks=(min(len(manifest), _MANIFEST_CHUNK),),
            compression="gzip",
            fletcher32=True,
        )
        group = file.create_group(PIXELS)
        for name, images in pages.items():
            shape = images[0].shape
            page = group.create_dataset(
                name, (len(images), *shape), dtype="<f4", chunks=(1, *shape), fletcher32=True
            )
            for row, image in enumerate(images):
                page[row] = image

    return hdf5_bytes(fill)


def read_manifest(path: Path) -> tuple[bytes, str]:
    """Return the manifest of a bank file and the hash that the file's attributes state for it."""
    with _opened(path) as file:
        stated = file.attrs.get("content_sha256", b"")
        if not isinstance(stated, bytes | np.bytes_):
            raise BankError(f"{path} is not a bank: its content hash is not a plain string")
        return file[MANIFEST][:].tobytes(), bytes(stated).decode("ascii", "replace")


def read_row(path: Path, page: str, row: int) -> np.ndarray:
    """Return the image at a page and row of a bank file."""
    return next(iter(iter_rows(path, [(page, row)])))


def iter_rows(path: Path, places: Sequence[tuple[str, int]]) -> Iterator[np.ndarray]:
    """Yield the images at `places` (page, row), opening the file once."""
    with _opened(path) as file:
        for page, row in places:
            try:
                yield file[f"{PIXELS}/{page}"][row]
            except (KeyError, IndexError, ValueError) as error:
                raise BankError(f"{path} holds no image at {page}, row {row}") from error


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """Open a bank file for reading and check its structure; raise every failure as a BankError."""
    try:
        if not path.is_file() and not path.is_dir():
            raise BankError(f"there is no bank at {path}; `stimsynth build PLAN.toml` makes one")
        with h5py.File(path, "r", locking="best-effort") as file:
            fault = first_fault(_parts(file))
            if fault:
                raise BankError(f"{path} is not a sound bank: {fault}")
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise BankError(f"{path} {why_unreadable(path, error)}") from error


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
