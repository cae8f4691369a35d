"""Versions of the software and the machine, for files and people."""

import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache  # of what a process has loaded the version stays, and to look it up takes milliseconds
def package_version(name: str) -> str | None:
    """Return the version of an installed distribution, None if it is not installed.

    Examples
    --------
    >>> package_version("no-such-package") is None
    True
    """
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def environment() -> dict[str, str]:
    """Return the versions that can change the last digits of a result.

    Returns
    -------
    dict
        stimsynth ("unknown" where it is used without being installed), python, numpy and platform. Where
        torch is loaded, its version and its number of threads too; it is not loaded for this.

    Examples
    --------
    >>> list(environment())[:4]
    ['stimsynth', 'python', 'numpy', 'platform']
    """
    found = {
        "stimsynth": package_version("stimsynth") or "unknown",
        "python": platform.python_version(),
        "numpy": package_version("numpy") or "unknown",
        "platform": platform.platform(),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        found |= {"torch": str(torch.__version__), "threads": str(torch.get_num_threads())}
    return found
