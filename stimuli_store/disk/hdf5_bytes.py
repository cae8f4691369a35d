"""HDF5 files put together in memory, to be written in one piece: HDF5 itself may crash on a full disk."""

import io
from collections.abc import Callable

import h5py

#: Versions of HDF5's format that are written, lowest and highest; every file of the store says so.
HDF5_VERSIONS = ("v110", "v110")


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
