#!/usr/bin/env python3
"""Set up this machine for stimsynth and do one job.

``python3 bootstrap.py demo | unit | test | lowest | lint | docs | setup``

Only the standard library is used. Everything is installed into ``.venv`` beside this file, in the exact
versions of ``constraints.txt``, and for ``lowest`` into ``.venv-lowest``, in the lowest versions that
``pyproject.toml`` allows; a second run finds it there and starts at once. On Debian and Ubuntu, as
root or with sudo, the system packages that a window without a screen needs are installed too; elsewhere
what is missing is printed, and what can run runs.
"""

from __future__ import annotations  # so that an old Python gets as far as being told so

import argparse
import hashlib
import importlib.util
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VENV_LOWEST = ROOT / ".venv-lowest"
MINIMUM = (3, 11)
SITE = "docs/_build/html"
# What a PsychoPy window needs on a Debian machine without a desktop: a virtual screen, software OpenGL,
# a font and what finds it, and the libraries that its keyboard and sound back ends link to.
DEBIAN = (
    "xvfb",
    "libgl1-mesa-dri",
    "libglu1-mesa",
    "libegl1",
    "libxkbcommon0",
    "libfontconfig1",
    "fonts-dejavu-core",
    "libjack-jackd2-0",
    "libportaudio2",
)
UNIT = "not slow and not long and not road and not window"
COVERAGE = "--cov"  # pytest's own word; what it measures stands in pyproject.toml
JOBS = {
    "demo": "the whole road once: stimsynth demo",
    "unit": "the tests for every change, side by side on all cores; with arguments, those files only",
    "test": "all tests but the slow ones, each window on a virtual screen; with arguments, what pytest takes "
    "them for; --cov also prints the lines that no test runs",
    "lowest": "tests of the store and the analysis with the oldest packages that pyproject.toml allows",
    "lint": "ruff, mypy and import-linter",
    "docs": "the site, into docs/_build/html; with -D plot_gallery=0 without running the examples",
    "setup": "install only",
}


def main() -> int:
    """Parse the command line, set up, and run the job."""
    for stream in (
        sys.stdout,
        sys.stderr,
    ):  # a path may hold what the console's encoding cannot show
        stream.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    jobs = "; ".join(f"{name}: {text}" for name, text in JOBS.items())
    parser.add_argument("job", choices=JOBS, help=jobs)
    arguments, rest = parser.parse_known_args()
    if sys.version_info < MINIMUM:
        return fail(
            f"stimsynth needs Python {MINIMUM[0]}.{MINIMUM[1]} or newer; "
            f"this is {platform.python_version()} ({sys.executable})"
        )
    try:
        if arguments.job == "lowest":
            return run_lowest(rest)
        system_packages()
        full_environment()
        return run_job(arguments.job, rest)
    except subprocess.CalledProcessError as error:
        words = " ".join(map(str, error.cmd)) if isinstance(error.cmd, list) else error.cmd
        return fail(f"this command ended with code {error.returncode}: {words}")
    except KeyboardInterrupt:
        return 130


def run_job(job: str, rest: list[str]) -> int:
    """Run a job in the environment; extra arguments go to ``stimsynth demo``, pytest or Sphinx."""
    python = str(venv_python())
    commands = {
        "setup": [],
        "demo": [[python, "-m", "stimsynth", "demo", *rest]],
        "unit": [[python, "-m", "pytest", "-n", workers(), "-m", UNIT, *rest]],
        "test": [[python, "-m", "pytest", *asked] for asked in test_runs(rest)],
        "lint": [
            [python, "-m", "ruff", "check", "."],
            [python, "-m", "ruff", "format", "--check", "."],
            [python, "-m", "mypy"],
            [str(venv_python().with_name("lint-imports"))],
        ],
        "docs": [
            [python, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "docs", SITE, *rest],
            [python, "docs/_ext/links.py", SITE],
        ],
    }[job]
    where = Path.cwd() if job == "demo" else ROOT
    # Tests that run side by side leave each other the cores.
    side_by_side = job == "unit" or (job == "test" and rest in ([], [COVERAGE]))
    threads = {"OMP_NUM_THREADS": "1"} if side_by_side else {}
    for command in commands:
        code = subprocess.run(
            command, cwd=where, env={**os.environ, **threads}, check=False
        ).returncode
        if code:
            return code
    return 0


def test_runs(rest: list[str]) -> list[list[str]]:
    """Return pytest's arguments: those given, or all tests but the slow ones: windows last, one by one.

    With ``--cov`` the second run adds its lines to those of the first, and reports on both.
    """
    asked = [word for word in rest if word != COVERAGE]
    everything = [["-n", workers(), "-m", "not slow and not window"], ["-m", "window and not slow"]]
    runs = [asked] if asked else everything
    if COVERAGE not in rest:
        return runs
    # At the end, because pytest takes a word after it for a folder to measure.
    return [[*run, *(["--cov-append"] if run is not runs[0] else []), COVERAGE] for run in runs]


def workers() -> str:
    """Return how many tests run side by side."""
    return str(min(os.cpu_count() or 1, 8))


def run_lowest(rest: list[str]) -> int:
    """Run the tests of the store and the analysis with the lowest versions; arguments go to pytest."""
    if sys.version_info >= (3, 13):
        say("the lowest versions have no packages for Python 3.13 and newer: not tried")
        return 0
    lowest_environment()
    # Old packages warn of what newer ones that they rest on have renamed since.
    quiet = ["-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning"]
    asked = rest or ["-n", workers(), "tests/store", "tests/analysis"]
    return subprocess.run(
        [str(venv_python(VENV_LOWEST)), "-m", "pytest", *quiet, *asked],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        check=False,
    ).returncode


def lowest_environment() -> None:
    """Install the lowest versions that are declared for the store and the analysis, and what tests need."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["analysis"]]
    lowest = dict(re.findall(r"^([\w-]+)>=([\d.]+)", "\n".join(declared), re.MULTILINE))
    everything = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", everything, re.MULTILINE))
    tools = ["pytest", "pytest-xdist", "hypothesis", "jsonschema"]
    versions = {**pinned, **lowest}
    packages = [f"{name}=={versions[name]}" for name in (*lowest, *tools)]
    others = [f"{name}=={version}" for name, version in pinned.items() if name not in lowest]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(others), encoding="utf-8")
        make_environment(VENV_LOWEST, [["--constraint", str(constraints), *packages]])


def full_environment() -> None:
    """Make ``.venv`` with everything in it."""
    extras = "all,dev,docs" if sys.version_info < (3, 13) else "synth,analysis,dev,docs"
    if not extras.startswith("all"):
        say(
            "PsychoPy has no release for Python 3.13 and newer: everything but the booth is installed"
        )
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    # First pip itself: the one that comes with an older Python finds no solution where there is one.
    installs = [[*constraints, "--upgrade", "pip"]]
    if platform.system() == "Linux":
        # Alone and first, so that a CPU build that pip is configured to find is not traded for
        # gigabytes of GPU libraries by another package's looser wish.
        installs.append([*constraints, "torch"])
    make_environment(VENV, [*installs, [*constraints, "--editable", f"{ROOT}[{extras}]"]])


def make_environment(venv: Path, installs: list[list[str]]) -> None:
    """Make a virtual environment and install into it, unless that was done for these very files already."""
    wanted, stamp, python = fingerprint(), venv / "stimsynth-setup.txt", venv_python(venv)
    if stamp.exists() and stamp.read_text() == wanted and python.exists():
        return
    began = time.perf_counter()
    if not python.exists():
        if importlib.util.find_spec("ensurepip") is None:
            raise SystemExit(
                fail("this Python cannot make virtual environments: it lacks ensurepip")
            )
        say(f"making {venv}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
    say("installing; the first time this takes one to three minutes")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    for words in installs:
        subprocess.run([*pip, *words], check=True)
    stamp.write_text(wanted)
    say(f"installed in {time.perf_counter() - began:.0f} s")


def fingerprint() -> str:
    """Return what the environment depends on: this Python and the files that name packages."""
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for name in ("pyproject.toml", "constraints.txt", "bootstrap.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def venv_python(venv: Path = VENV) -> Path:
    """Return an environment's interpreter."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def system_packages() -> None:
    """Install what a window needs on Debian, if we may; otherwise say what is missing."""
    if platform.system() != "Linux":
        return
    if not shutil.which("dpkg-query") or not shutil.which("apt-get"):
        if not shutil.which("Xvfb") and not has_display():
            say(
                "no screen and no Xvfb: sessions run without a window. Install Xvfb and OpenGL (Mesa)"
            )
        return
    missing = [name for name in DEBIAN if not installed(name)]
    if importlib.util.find_spec("ensurepip") is None:  # Debian ships it apart from Python
        missing.append(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    if not missing:
        return
    prefix = privileges()
    if prefix is None:
        words = shlex.join(["sudo", "apt-get", "install", *missing])
        say(f"these system packages are missing; to install them: {words}")
        return
    say(f"installing system packages: {' '.join(missing)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = [*prefix, "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    updated = subprocess.run([*apt, "update"], env=quiet, check=False)
    wanted = [*apt, "install", "--yes", "--no-install-recommends", *missing]
    if (
        updated.returncode
        or subprocess.run(wanted, env=quiet, stdout=subprocess.DEVNULL, check=False).returncode
    ):
        say(f"could not install {' '.join(missing)}; what needs no window still runs")


def installed(package: str) -> bool:
    """Return whether dpkg has a package installed."""
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    result = subprocess.run(query, capture_output=True, text=True, check=False)
    return result.stdout.strip() == "installed"


def privileges() -> list[str] | None:
    """Return the words that let a command install packages, or None if nothing does."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def has_display() -> bool:
    """Return whether a screen can be reached."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def say(text: str) -> None:
    """Tell the user what is going on."""
    print(f"bootstrap: {text}", flush=True)


def fail(text: str) -> int:
    """Print an error and return the exit code."""
    print(f"bootstrap: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
