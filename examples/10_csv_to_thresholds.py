"""
A table of your own to thresholds
=================================

Data of any laboratory can be fitted as they are: *roles* say what its columns mean.
"""

# %%
# A file as yours may look, here of six simulated people at three eccentricities.
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr

from stimsynth import contrasts, fit, plot_fit, plot_thresholds, read_trials

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
rows["RT"] = rng.lognormal(6.2, 0.4, len(rows)).round()
path = Path(tempfile.mkdtemp()) / "trials.csv"
rows.to_csv(path, index=False)

# %%
# Nothing is renamed, and what is left out is counted.
roles = {"participant": "subj", "level": "contrast", "correct": "resp", "rt_ms": "RT"}
answers = read_trials(path, roles, task="2afc").exclude_rt(0.15, 2.0)
answers.exclusions

# %%
# One fit for each eccentricity, all people together.
fits = fit(answers, by="ecc")
fits

# %%
plot_thresholds(fits)

# %%
# Ratios of thresholds within people: all pairs, corrected by Holm.
contrasts(fit(answers, by=["participant", "ecc"]), "ecc")

# %%
# The three curves together.
ax = plot_fit(fits["0 deg"], label="0 deg")
plot_fit(fits["5 deg"], ax, label="5 deg")
plot_fit(fits["10 deg"], ax, label="10 deg")
# sphinx_gallery_thumbnail_number = -1
