"""The command ``stimsynth doctor``: print the roles that this machine can take, and the missing packages."""

import argparse
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from stimuli_store.errors import installation
from stimuli_store.tools.environment import environment, package_version

_ROLES = {
    "every machine": ("numpy", "scipy", "h5py", "pooch", "tqdm"),
    "cluster [synth]": ("torch", "pyrtools", "pillow"),
    "booth [booth]": ("psychopy", "pillow"),
    "notebook [analysis]": ("pandas", "matplotlib"),
}
_OURS = ("stimsynth", "stimuli_store", "experiments", "analysis")


class Finding(NamedTuple):
    """One line of the report: whether a check passed, whether it must pass, and its text."""

    ok: bool
    needed: bool
    text: str


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `doctor` to the parser."""
    parser = subparsers.add_parser(
        "doctor",
        help="print what this machine can do and what is missing",
        description=(
            "Check this machine: the roles it can have, the packages that are missing, and problems. "
            "The exit code is 1 if something is wrong that every machine needs."
        ),
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Print the findings, and return 1 if something is wrong that every machine needs, else 0."""
    has = environment()
    sys.stdout.write(
        f"stimsynth {has['stimsynth']}, Python {has['python']}, {has['platform']}, "
        f"{os.cpu_count()} processors\n\n"
    )
    findings = [*_roles(), *_python(), *_shadows(), *_screen()]
    for finding in findings:
        mark = "ok " if finding.ok else ("BAD" if finding.needed else " - ")
        sys.stdout.write(f"[{mark}] {finding.text}\n")
    return int(any(f.needed and not f.ok for f in findings))


def _roles() -> Iterator[Finding]:
    for role, packages in _ROLES.items():
        found = {package: package_version(package) for package in packages}
        missing = [package for package, number in found.items() if number is None]
        needed = role == "every machine"
        if missing:
            extra = role.partition("[")[2].rstrip("]") or "all"
            yield Finding(False, needed, f"{role}: no {', '.join(missing)}; {installation(extra)}")
        else:
            yield Finding(
                True, needed, f"{role}: " + ", ".join(f"{p} {n}" for p, n in found.items())
            )


def _python() -> Iterator[Finding]:
    if sys.version_info >= (3, 13):
        yield Finding(
            False, False, "PsychoPy has no release for Python 3.13 yet; a booth needs 3.11 or 3.12"
        )
    if package_version("psychopy") and package_version("psychopy-lib"):
        yield Finding(
            False, True, "psychopy and psychopy-lib share a package; pip uninstall psychopy-lib"
        )


def _shadows() -> Iterator[Finding]:
    """Yield findings on folders or files that Python would import in place of our packages."""
    here = Path.cwd()
    for name in _OURS:
        spec = importlib.util.find_spec(name)
        home = Path(spec.origin).parent if spec and spec.origin else None
        for candidate in (here / name, here / f"{name}.py"):
            rival = candidate.suffix or any(candidate.glob("*.py"))
            if candidate.exists() and rival and candidate.resolve() != (home and home.resolve()):
                yield Finding(
                    False,
                    False,
                    f"scripts and notebooks run in this folder would import {candidate} instead of "
                    f"stimsynth's package {name!r}; rename it, or work in another folder",
                )
    yield Finding(True, True, "packages are found at " + str(Path(__file__).parents[2]))


def _screen() -> Iterator[Finding]:
    if not sys.platform.startswith("linux"):
        return
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if display:
        yield Finding(True, False, f"display {display}")
    else:
        yield Finding(
            False, False, "no display; sessions can run on a virtual one (--virtual-display)"
        )
    xvfb = shutil.which("Xvfb")
    text = f"virtual display: {xvfb}" if xvfb else "no Xvfb; on Debian: apt-get install xvfb"
    yield Finding(xvfb is not None, False, text)
