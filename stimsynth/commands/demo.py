"""The command ``stimsynth demo``: run all steps once, by the commands that a user would type."""

import argparse
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from stimuli_store.disk.atomic import write_atomically
from stimuli_store.errors import InputError, StimsynthError

PARTICIPANTS = ("S01", "S02", "S03", "S04", "S05", "S06")
WINDOW_TRIALS = 8

PLAN = """\
# What to synthesize from two photographs: metamers, MAD competition, eigendistortions.
[bank]
name = "demo"
version = "1.0.0"
license = "CC0-1.0"
creators = ["stimsynth demo"]

[targets]
images = ["camera", "grass"]
size = {size}

[models.pool]
use = "UniformPooling"

# The models that will compete for the observers. One of them will be the observers.
[models.pooling10]
use = "UniformPooling"
params = {{ window_px = 10 }}

[models.pooling28]
use = "UniformPooling"
params = {{ window_px = 28 }}

[models.luminance-gain]
use = "LuminanceGainControl"
params = {{ kernel_size = 31 }}

[models.onoff]
use = "OnOff"
params = {{ kernel_size = 31, pretrained = true }}

# Metamers: images whose pooled statistics are those of the photograph.
[[sets]]
kind = "metamer"
model = "pool"
level = {{ window_px = [4, 6, 8, 12, 16, 24, 32, 48] }}   # how large the pooling windows are
seeds = [0, 1]
max_iter = 150

# MAD competition: images that set two metrics against each other, from the same noise.
[[sets]]
kind = "mad"
metrics = ["ssim", "mse"]
level = {{ noise = [0.04] }}
stop_criterion = 0.05        # looser than the default: a demonstration, not a study
stop_iters_to_check = 10

# Eigendistortions: the change that a model sees most, at four amplitudes.
[[sets]]
kind = "eigendistortion"
model = "pooling28"
ends = ["most"]
level = {{ amplitude = [0.125, 0.25, 0.5, 1] }}

[predict]
models = ["mse", "ssim", "pooling10", "pooling28", "luminance-gain", "onoff"]
"""

DESIGN = """\
# {what}
[bank]
path = "{bank}"
pin = "{pin}"

{trials}
seed = {seed}

[screen]
refresh_hz = 60.0
size = [800, 600]
"""


@dataclass(frozen=True, kw_only=True)
class Study:
    """One experiment of the demo.

    `observer` is the model that its simulated people see through, and `mean_correct` how often they are
    right: with enough errors at every level that the predictions of models differ.
    """

    what: str
    kind: str
    observer: str
    mean_correct: float
    trials: str


STUDIES = (
    Study(
        what="Metamers in ABX: is the last picture the first or the second one?",
        kind="metamer",
        observer="pooling10",
        mean_correct=0.75,
        trials="""[task]
name = "abx"

[design]
comparisons = ["reference-member"]
kinds = ["metamer"]
repeats = 16""",
    ),
    Study(
        what="A MAD set in a forced choice: which of the two is further from the photograph?",
        kind="mad",
        observer="ssim",
        mean_correct=0.65,  # it says nothing of the pairs that it holds
        trials="""[task]
name = "2ifc"

[design]
comparisons = ["mad-pair"]
repeats = 16""",
    ),
    Study(
        what="Eigendistortions in three-interval oddity: which of the three is the odd one?",
        kind="eigendistortion",
        observer="pooling28",
        mean_correct=0.75,
        trials="""[task]
name = "oddity"

[design]
comparisons = ["reference-distortion"]
repeats = 12""",
    ),
)


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `demo` to the parser."""
    parser = subparsers.add_parser(
        "demo",
        help="run all steps once, with simulated observers",
        description=(
            "From photographs to thresholds: build a bank of metamers, MAD images and eigendistortions, "
            "show a few trials in a PsychoPy window (on a virtual display if there is no other) with a "
            "simulated observer at the keys, run simulated sessions of three tasks, fit, compare models, "
            "and write reports. The same command continues an interrupted demo."
        ),
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("demo"),
        metavar="DIR",
        help="folder for it all (default: demo)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the sessions (default: 1)")
    parser.add_argument(
        "--size", type=int, default=192, help="side of the images in pixels (default: 192)"
    )
    parser.add_argument("--no-window", action="store_true", help="leave out the PsychoPy window")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo's commands one after another, and return the exit code."""
    if arguments.seed < 0 or arguments.size < 64 or arguments.size % 4:
        raise InputError(
            "the demo needs a --seed of 0 or more and a --size of 64 or more, a multiple of 4"
        )
    began = time.perf_counter()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    plan = out / "plan.toml"
    write_atomically(plan, PLAN.format(size=arguments.size).encode())
    sys.stdout.write("\n1. synthesize\n")
    _step("build", plan)
    bank = out / "demo-1.0.0.h5"
    sys.stdout.write("\n2. verify\n")
    _step("bank", "check", bank)
    folder = out / f"seed-{arguments.seed}"
    for number, study in enumerate(STUDIES):
        sys.stdout.write(f"\n{number + 3}. {study.what}\n")
        design = _write_design(study, bank, folder, arguments.seed)
        data = folder / study.kind / "data"
        if number == 0 and not arguments.no_window:
            _show(design, data, study)
        for participant in PARTICIPANTS:
            _step("run", design, "--participant", participant, "--data", data, *_simulated(study))
        _step("analyse", data, "--bank", bank, "--out", folder / study.kind / "report")
    sys.stdout.write(f"\ndone in {time.perf_counter() - began:.0f} s\n")
    return 0


def _write_design(study: Study, bank: Path, folder: Path, seed: int) -> Path:
    from stimuli_store.bank.reading import open_bank

    folder.mkdir(exist_ok=True)
    design = folder / f"{study.kind}.toml"
    pin = open_bank(bank, verify=False).pin
    text = DESIGN.format(**vars(study), bank=f"../{bank.name}", pin=pin, seed=seed)
    write_atomically(design, text.encode())
    return design


def _simulated(study: Study) -> tuple[str, ...]:
    return ("--simulate", study.observer, "--mean-correct", str(study.mean_correct))


def _show(design: Path, data: Path, study: Study) -> None:
    """Run a few trials in a real window, with a simulated observer at the keys."""
    virtual = sys.platform.startswith("linux") and not os.environ.get("DISPLAY")
    lacking = _lacking(virtual)
    if lacking:
        sys.stdout.write(f"  no window: {lacking}\n")
        return
    screen = ("--virtual-display", "--allow-unsynced") if virtual else ("--allow-unsynced",)
    few = ("--booth", "psychopy", "--max-trials", WINDOW_TRIALS, *screen)
    words = ("--participant", "S00", "--data", data, *_simulated(study), *few)
    _step("run", design, *words)


def _lacking(virtual: bool) -> str | None:
    """Return a sentence on what this machine needs for a window and does not have; None if nothing."""
    if importlib.util.find_spec("psychopy") is None:
        return "PsychoPy is not installed (it needs Python 3.11 or 3.12)"
    if virtual and shutil.which("Xvfb") is None:
        return "there is no display and no Xvfb for a virtual one (on Debian: apt-get install xvfb)"
    return None


def _step(*words: object) -> None:
    """Run one ``stimsynth`` command in its own process, after printing it as it would be typed."""
    shown = [str(word) for word in words]
    sys.stdout.write(f"  $ stimsynth {shlex.join(shown)}\n")
    sys.stdout.flush()
    code = subprocess.run([sys.executable, "-m", "stimsynth", *shown], check=False).returncode
    if code == 130:
        raise KeyboardInterrupt
    if code:
        raise StimsynthError(
            f"the demo stopped at `stimsynth {shown[0]}`, which ended with code {code}"
        )
