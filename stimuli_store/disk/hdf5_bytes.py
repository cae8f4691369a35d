"""HDF5 files put together in memory, to be written in one piece: HDF5 itself may crash on a full disk."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import h5py

#: Versions of HDF5's format that are written, lowest and highest; every file of the store says so.
HDF5_VERSIONS = ("v110", "v110")
_END_OF_FILE = struct.Struct("<28xQ")  # superblock of versions 2 and 3, sizes of 8 bytes


def hdf5_bytes(fill: Callable[[h5py.File], None]) -> memoryview:
    """Return the content of a new HDF5 file that `fill` writes to.

    Examples
    --------
    >>> content = hdf5_bytes(lambda file: file.create_group("pixels"))
    >>> bytes(content[1:4])
    b'HDF'
    """
    # Not HDF5's own driver for memory: in HDF5 1.14 (h5py up to 3.15) its image of a file in this format
    # has a wrong checksum, and cannot be opened again.
    content = io.BytesIO()
    with h5py.File(content, "w", libver=HDF5_VERSIONS) as file:
        fill(file)
    return content.getbuffer()


def surplus_bytes(path: Path) -> int:
    """Return how many bytes follow the end that an HDF5 file of the store states for itself.

    HDF5 reads a file to which bytes were appended as if nothing had happened.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is too short to state its end.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "a.h5")
    ...     _ = file.write_bytes(bytes(hdf5_bytes(lambda file: None)) + b"more")
    ...     surplus_bytes(file)
    4
    """
    with path.open("rb") as file:
        head = file.read(_END_OF_FILE.size)
    if len(head) < _END_OF_FILE.size:
        raise ValueError("no superblock")
    return path.stat().st_size - int(_END_OF_FILE.unpack(head)[0])
