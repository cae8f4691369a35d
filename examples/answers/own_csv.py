# %% [markdown]
# # A CSV of your own to thresholds by condition

# %%
import numpy as np
import pandas as pd
from scipy.special import ndtr

from analysis import contrasts, fit, read_trials
from analysis.plots import plot_fit, plot_residuals, plot_thresholds

# %% A file as your laboratory writes it: here six simulated people, three eccentricities
rng = np.random.default_rng(1)
halfway = {"0 deg": 0.04, "5 deg": 0.08, "10 deg": 0.16}
people, contrast = [f"vp{i}" for i in range(1, 7)], [0.01, 0.02, 0.04, 0.08, 0.16, 0.32]
rows = pd.DataFrame(
    [(who, ecc, c) for who in people for ecc in halfway for c in contrast for _ in range(20)],
    columns=["subj", "ecc", "contrast"],
)
own = rows.subj.map({who: 2 ** rng.normal(0, 0.3) for who in people})
p = 0.5 + 0.48 * ndtr(np.log2(rows.contrast / (own * rows.ecc.map(halfway))))
rows["resp"] = np.where(rng.random(len(rows)) < p, "correct", "incorrect")
rows.assign(RT=rng.lognormal(6.2, 0.4, len(rows)).round()).to_csv("trials.csv", index=False)

# %% Roles name your columns, nothing is renamed; what is left out is counted
roles = {"participant": "subj", "level": "contrast", "correct": "resp", "rt_ms": "RT"}
answers = read_trials("trials.csv", roles, task="2afc").exclude_rt(0.15, 2.0)
answers.exclusions

# %% One fit for each condition, all people together
fits = fit(answers, by="ecc")
fits  # as a data frame: fits.table
# %%
plot_thresholds(fits)
# %%
plot_fit(fits["5 deg"])
# %%
plot_residuals(fits["5 deg"])
# %% Ratios of thresholds within people: all pairs, corrected by Holm
contrasts(fit(answers, by=["participant", "ecc"]), "ecc")
