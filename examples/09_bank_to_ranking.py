"""
From a bank to a ranking of models
==================================

A bank holds certified stimuli, and what each model says about every pair of them. Sessions refer to it, and
the answers say which model sees as people do.
"""

# %%
# A small bank: metamers of four photographs, at three window sizes.
import tempfile
from pathlib import Path

from stimsynth import (
    BankChoice,
    DesignFile,
    Sampling,
    SimulatedBooth,
    TaskChoice,
    answers_of,
    build,
    calibrated_observer,
    course_of,
    design_from,
    evidence_of,
    plot_ranking,
    rank,
    read_sessions,
    run_session,
)
from stimsynth.plots import display_bank

folder = Path(tempfile.mkdtemp())

pools = {f"pool{n}": {"use": "UniformPooling", "params": {"window_px": n}} for n in (7, 20)}
level = {"window_px": [4, 8, 16]}
plan = {
    "bank": {"name": "tiny", "version": "1.0.0", "license": "CC0-1.0"},
    "targets": {"images": ["camera", "coffee", "chelsea", "astronaut"], "size": 64},
    "models": {"pool": {"use": "UniformPooling"}, **pools},
    "sets": [
        {"kind": "metamer", "model": "pool", "level": level, "max_iter": 20, "grid": "rounded"}
    ],
    "predict": {"models": ["mse", *pools]},
}
bank = build(plan, folder)
display_bank(bank, ["camera/window_px=4", "camera/window_px=8", "camera/window_px=16"])

# %%
# An ABX experiment: every metamer against its photograph. The pin names exactly this bank.
design = design_from(
    DesignFile(
        bank=BankChoice(path=bank.path.name, pin=bank.pin),
        task=TaskChoice(name="abx"),
        design=Sampling(comparisons=("reference-member",), repeats=8, seed=1),
    )
)

# %%
# Four people, simulated: they see through the model ``pool7``. For real people, take
# ``open_booth(design.screen)`` and no observer.
screen = SimulatedBooth(design.screen.size, design.screen.refresh_hz)
for person in ("S01", "S02", "S03", "S04"):
    trials = course_of(design, bank, person, session=1).trials
    evidence = evidence_of(bank, "pool7")
    eye = calibrated_observer("pool7", evidence, trials, design.task, mean_p_correct=0.75)
    run_session(design, bank, screen, person, 1, data_dir=folder / "data", observer=eye)

# %%
# Each model predicts answers that it was not fitted to; the ranking says whose predictions are best.
ranking = rank(answers_of(bank, read_sessions(folder / "data")), n_draws=500)
ranking

# %%
# The model that these people see through comes first, but four photographs do not tell it from the others,
# as the intervals say, which speak for new photographs and people. Stimuli on which the models disagree, such
# as those of maximum differentiation, would.
plot_ranking(ranking)
# sphinx_gallery_thumbnail_number = -1
