"""The plan of ``examples/every_kind``: CPU time of its bank, gates, and every command on it.

Targets: five minutes of CPU; no flag; no synthesis that ran out of steps; every figure is confirmed by plain
formulas (rtol 1e-6); info, check, diff, remake, the exports and the contact sheet end with code 0.
"""

import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from stimuli_store.bank.reading import Bank, open_bank
from stimuli_store.tools.command_line import NamesTheNearest
from tests.synth.plain_figures import denied_figures

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "every_kind"
MOST_CPU_S = 300.0
OUT_OF_STEPS = "steps"


def main(arguments: list[str] | None = None) -> int:
    """Build the bank, run the commands, and return 0 if everything holds."""
    parser = NamesTheNearest(prog="python -m benchmarks study", description=__doc__)
    parser.add_argument(
        "--out", type=Path, help="folder to build in, kept (default: a temporary one)"
    )
    asked = parser.parse_args(arguments)
    if asked.out is not None:
        return _run(asked.out)
    with tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder))


def _run(folder: Path) -> int:
    seconds, code = _timed(EXAMPLE / "build.py", folder)
    print(f"build: {seconds:.0f} s of CPU (target {MOST_CPU_S:.0f}), code {code}")
    bank = open_bank(next(folder.glob("*.h5")))
    faults = [f"{r.name}: {', '.join(r.flags)}" for r in bank.records if r.flags]
    faults += [
        f"{r.name}: {r.certificate.status}"
        for r in bank.records
        if OUT_OF_STEPS in r.certificate.status.lower()
    ]
    faults += _denied(bank)
    made = len(bank.records) - len(bank.references)
    print(f"{made} stimuli, {len(faults)} faults", *faults, sep="\n  ")
    codes = [code, *(_command(words) for words in _commands(bank, folder))]
    return int(bool(faults or any(codes) or seconds > MOST_CPU_S))


def _denied(bank: Bank) -> list[str]:
    """Return the figures that plain formulas do not confirm."""
    models = runpy.run_path(str(EXAMPLE / "models.py"))
    world: Any = SimpleNamespace(
        bank=bank,
        models={"mine": models["retina"](2.0).double(), "deep": models["network"]()[:2].double()},
    )
    kinds = [r for r in bank.records if r.sha256 not in bank.references]
    return [f"{r.name}: {fault}" for r in kinds for fault in denied_figures(r, world)]


def _commands(bank: Bank, folder: Path) -> list[list[str]]:
    file = str(bank.path)
    return [
        ["info", file],
        ["check", file],
        ["diff", file, file],
        ["remake", file, "--models", str(EXAMPLE / "models.py"), "--files", str(folder / "photos")],
        *(["export", file, f"--{form}", str(folder / form)] for form in ("png8", "png16", "tiff")),
        ["contact-sheet", file, str(folder / "sheet.png")],
    ]


def _command(words: list[str]) -> int:
    seconds, code = _timed("-m", "stimsynth", "bank", *words)
    print(f"bank {words[0]}: {seconds:.0f} s of CPU, code {code}")
    return code


def _timed(*words: object) -> tuple[float, int]:
    """Run Python in a process of its own; return its seconds of CPU and its exit code."""
    before = os.times()
    ended = subprocess.run(
        [sys.executable, *map(str, words)], stdout=subprocess.DEVNULL, check=False
    )
    after = os.times()
    used = after.children_user + after.children_system
    return used - before.children_user - before.children_system, ended.returncode


if __name__ == "__main__":
    sys.exit(main())
