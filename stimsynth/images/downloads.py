"""Public data sets that can be downloaded: their addresses and hashes.

They belong to their authors, whose terms apply; none is part of this package. All are on the Open Science
Framework, project https://osf.io/ts37w.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Download:
    """A file on a server, pinned by the sha256 of its bytes.

    Parameters
    ----------
    url
        Address of the file.
    sha256
        64 hexadecimal digits.
    about
        Content of the file, in a few words.

    Examples
    --------
    >>> len(next(iter(DOWNLOADS.values())).sha256)
    64
    """

    url: str
    sha256: str
    about: str


DOWNLOADS: Mapping[str, Download] = MappingProxyType(
    {
        "sample_images.tar.gz": Download(
            url="https://osf.io/download/6drmy",
            sha256="0ba6fe668a61e9f3cb52032da740fbcf32399ffcc142ddb14380a8e404409bf5",
            about="photographs before and after small movements, for geodesics",
        ),
        "tid2013.tar.gz": Download(
            url="https://osf.io/download/uscgv",
            sha256="bc486ac749b6cfca8dc5f5340b04b9bb01ab24149a5f3a712f13e9d0489dcde0",
            about="TID2013: 25 images, 24 distortions, 5 levels, mean opinion scores (about 1 GB)",
        ),
        "portilla_simoncelli_images.tar.gz": Download(
            url="https://osf.io/download/eqr3t",
            sha256="4d3228fbb51de45b4fc81eba590d20f5861a54d9e46766c8431ab08326e80827",
            about="textures of Portilla & Simoncelli (2000)",
        ),
        "MAD_results.tar.gz": Download(
            url="https://osf.io/download/jwcsr",
            sha256="29794ed7dc14626f115b9e4173bff88884cb356378a1d4f1f6cd940dd5b31dbe",
            about="stimuli and scores of Wang & Simoncelli (2008), maximum differentiation",
        ),
        "ssim_images.tar.gz": Download(
            url="https://osf.io/download/j65tw",
            sha256="19c1955921a3c37d30c88724fd5a13bdbc9620c9e7dfaeaa3ff835283d2bb42e",
            about="images of Wang, Bovik, Sheikh & Simoncelli (2004), SSIM",
        ),
    }
)
