"""
Design of a bank
================

Which stimuli should an experiment have? Try a few, look at them, ask the models what they predict, and plan
the number of people; then let the full bank be made overnight.
"""

# %%
# A plan is a TOML file, or the same as tables of Python. This one makes metamers of a pooling model at five
# window sizes from two seeds each, and asks three models about every pair that can be compared.
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd

from analysis.planning.tests import conditions_differ
from stimsynth import (
    BankChoice,
    DesignFile,
    Sampling,
    StudyDesign,
    TaskChoice,
    ThresholdTruth,
    build,
    course_of,
    design_from,
    fit,
    plot_fit,
    power_table,
    simulated_answers,
)
from stimsynth.plots import display_bank
from stimuli_store.tasks import task_named

folder = Path(tempfile.mkdtemp())
plan = {
    "bank": {"name": "pilot", "version": "0.1.0", "license": "CC0-1.0"},
    "targets": {"images": ["camera", "coffee"], "size": 64},
    "models": {
        "pool": {"use": "UniformPooling"},
        "fine": {"use": "UniformPooling", "params": {"window_px": 6}},
        "coarse": {"use": "UniformPooling", "params": {"window_px": 24}},
    },
    "sets": [
        {
            "kind": "metamer",
            "model": "pool",
            "level": {"window_px": [4, 6, 8, 12, 16]},
            "seeds": [0, 1],
            "max_iter": 25,
            "grid": "rounded",  # quick, for a look; left out, frames are finished on the screen's levels
            "gates": {"relative_distance": 0.2},
        }
    ],
    "predict": {"models": ["mse", "fine", "coarse"]},
}

# %%
# A plan is checked as a whole before anything is made: all its faults come at once.
bad = {**plan, "targets": {"images": ["camara"], "size": 64}, "predict": {"models": ["fien"]}}
try:
    build(bad, folder)
except ValueError as error:
    print(error)

# %%
# Make the pilot, and look at it. Every metamer stands beside its photograph.
bank = build(plan, folder)
display_bank(bank, [label for label in bank.sets if label.startswith("camera")], side_px=64)

# %%
# Each stimulus has a certificate, measured on the frame that the screen will show. Flags name the gates that
# it missed, or, as in this hasty pilot, that the synthesis was stopped early.
table = bank.table()
members = table[table.kind == "metamer"]
members[["name", "relative_distance", "flags"]].head()

# %%
# How far each metamer is from its photograph, as the models say: the larger, the easier. Levels at which all
# say the same cannot tell the models apart; choose those where they part.
distances = pd.DataFrame(
    {
        model: [
            bank.distances(model)[frozenset({record.target, record.sha256})]
            for record in bank.records
            if record.kind == "metamer"
        ]
        for model in bank.model_labels
    },
    index=members.level,
)
by_level = distances.groupby(level=0).mean()
by_level / by_level.iloc[-1]

# %%
# The design of the experiment names the bank by its pin, and the course of a session follows from it: the
# same participant gets the same trials on any machine.
design = design_from(
    DesignFile(
        bank=BankChoice(path=bank.path.name, pin=bank.pin),
        task=TaskChoice(name="abx"),
        design=Sampling(comparisons=("reference-member",), repeats=4, seed=1),
    )
)
len(course_of(design, bank, "S01", session=1).trials)

# %%
# How many people? Suppose that the threshold in the periphery is 1.4 times the one in the fovea.
study = StudyDesign(
    task=task_named("abx"),
    levels=(4.0, 6.0, 8.0, 12.0, 16.0),
    n_participants=6,
    n_images=6,
    n_trials=4,
)
fovea = ThresholdTruth(threshold=7.0, width=2.5, sd_participants=0.2, sd_images=0.2)
truth = {"fovea": fovea, "periphery": replace(fovea, threshold=9.8)}
designs = [replace(study, n_participants=n) for n in (3, 9)]
power_table(designs, truth, conditions_differ(), n_studies=10, seed=0)

# %%
# One such study, as it may look.
fits = fit(simulated_answers(study, truth, seed=1), by="condition")
ax = plot_fit(fits["fovea"], unit="px", label="fovea")
plot_fit(fits["periphery"], ax, unit="px", label="periphery")
# sphinx_gallery_thumbnail_number = -1
