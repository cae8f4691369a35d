"""A small study whose files examples in docstrings name: bank, design, journals."""

from pathlib import Path

from analysis.observers.evidence import evidence_of
from analysis.observers.simulated.calibrating import calibrated_observer
from experiments.course.constant import course_of
from experiments.design import read_design
from experiments.session import run_session
from experiments.simulated import SimulatedBooth
from tests.helpers import tiny_bank

PLAN = """\
[bank]
name = "study"
version = "1.0.0"
license = "CC0-1.0"

[targets]
images = ["camera"]
size = 32

[models.maker]
use = "UniformPooling"

[[sets]]
kind = "metamer"
model = "maker"
level = { window_px = [4, 8, 16, 32] }
seeds = [0, 1]
"""

DESIGN = """\
[bank]
path = "study-1.0.0.h5"
pin = "{pin}"

[task]
name = "abx"

[design]
comparisons = ["reference-member"]
repeats = 4
seed = 1
"""


def make_study(folder: Path) -> Path:
    """Write the study into an empty folder, and return the folder."""
    bank = tiny_bank(folder, name="study")
    (folder / "design.toml").write_text(DESIGN.format(pin=bank.pin), encoding="utf-8")
    design = read_design(folder / "design.toml")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    evidence = evidence_of(bank, "right")
    for participant in ("S01", "S02", "S03"):
        trials = course_of(design, bank, participant, session=1).trials
        observer = calibrated_observer("right", evidence, trials, design.task)
        booth = SimulatedBooth(design.screen.size, design.screen.refresh_hz)
        run_session(
            design, bank, booth, participant, 1, data_dir=folder / "data", observer=observer
        )
    bank.close()
    return folder
