"""
The power of a planned study
============================

How many people does a comparison of two conditions need? Simulate the study before you run it.
"""

# %%
# The plan, and what you believe: the thresholds differ by a third, and people and images differ too.
from dataclasses import replace

from analysis.planning.tests import conditions_differ
from stimsynth import (
    StudyDesign,
    ThresholdTruth,
    fit,
    plot_thresholds,
    power_table,
    simulated_answers,
)
from stimuli_store.tasks import task_named

design = StudyDesign(
    task=task_named("abx"),
    levels=(4.0, 8.0, 16.0, 32.0, 64.0),
    n_participants=8,
    n_images=6,
    n_trials=4,
)
upright = ThresholdTruth(threshold=14.0, width=2.5, sd_participants=0.3, sd_images=0.3)
truth = {"upright": upright, "inverted": replace(upright, threshold=18.7)}

# %%
# How often a paired comparison of thresholds finds the difference, for fewer and for more people. 15
# simulated studies make wide intervals; take 500 for a plan that you will report.
designs = [replace(design, n_participants=n) for n in (4, 12)]
power_table(designs, truth, conditions_differ(), n_studies=15, seed=0)

# %%
# What one such study would show.
fits = fit(simulated_answers(design, truth, seed=1), by="condition")
plot_thresholds(fits, unit="px", true={"upright": 14.0, "inverted": 18.7})
