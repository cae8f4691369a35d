# %% [markdown]
# # The power of a planned study

# %%
from dataclasses import replace

from analysis import StudyDesign, ThresholdTruth, fit, power_table, simulated_answers
from analysis.planning.tests import conditions_differ
from analysis.plots import plot_thresholds
from stimuli_store.tasks import task_named

# %% The plan, and what you believe: thresholds differ by a third, people and images too
design = StudyDesign(
    task=task_named("abx"),
    levels=(4.0, 8.0, 16.0, 32.0, 64.0),
    n_participants=8,
    n_images=6,
    n_trials=4,
)
upright = ThresholdTruth(threshold=14.0, width=2.5, sd_participants=0.3, sd_images=0.3)
truth = {"upright": upright, "inverted": replace(upright, threshold=18.7)}

# %% Which conditions a single such study would show
fits = fit(simulated_answers(design, truth, seed=1), by="condition")
fits
# %%
plot_thresholds(fits)
# %% How often a paired comparison of thresholds finds the difference, for more or fewer people
# 25 simulated studies make wide intervals; take 500 for a plan that you will report.
designs = [replace(design, n_participants=n) for n in (4, 8, 12)]
power_table(designs, truth, conditions_differ(), n_studies=25, seed=0)
