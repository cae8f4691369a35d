"""
Oddity: d′ by model
===================

Three pictures, one of them the metamer of a model: which is odd? The better people find it, the more does the
model discard that they see.
"""

# %%
# A file as yours may look, here of ten simulated people and eight photographs.
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from stimsynth import dprimes, draw_answers, plot_dprime, read_trials

rng = np.random.default_rng(2)
models, people = {"texture": 1.2, "energy": 2.0, "pixels": 3.0}, [f"S{i:02d}" for i in range(10)]
rows = pd.DataFrame(
    [(who, photo, m) for who in people for photo in range(8) for m in models for _ in range(6)],
    columns=["observer", "photo", "model"],
)
skill = rows.observer.map({who: rng.lognormal(0, 0.2) for who in people})
ease = rows.photo.map({photo: rng.lognormal(0, 0.3) for photo in range(8)})
odd, said = draw_answers("oddity", rows.model.map(models) * skill * ease, rng)
words = {"first": "1", "second": "2", "third": "3"}
rows["odd_one"], rows["key"] = np.array([*words])[odd], np.array([*words])[said]
rows.loc[rng.random(len(rows)) < 0.02, "key"] = ""
path = Path(tempfile.mkdtemp()) / "oddity.csv"
rows.to_csv(path, index=False)

# %%
# Answers may be words of yours. Trials without one are left out, and counted.
roles = {"participant": "observer", "image": "photo", "answer": "odd_one", "response": "key"}
answers = read_trials(path, {**roles, "answers": words}, task="oddity")
answers.exclusions

# %%
# The column ``for_whom`` says for whom an interval speaks: here for new people and new photographs.
found = dprimes(answers, by="model")
found

# %%
# The same answers under another decision rule of the task: d′ changes, the order does not.
dprimes(answers, by="model", rule="likelihood")

# %%
plot_dprime(found)
