# %% [markdown]
# # An oddity experiment to d' by model
# Three pictures, one of them the metamer of a model: which one is odd?

# %%
import numpy as np
import pandas as pd

from analysis import dprimes, draw_answers, read_trials
from analysis.plots import plot_dprime

# %% A file as your laboratory writes it: here ten simulated people, eight images, all crossed
rng = np.random.default_rng(2)
models, people = {"texture": 1.2, "energy": 2.0, "pixels": 3.0}, [f"S{i:02d}" for i in range(10)]
names = ["observer", "photo", "model"]
rows = pd.DataFrame(
    [(who, photo, m) for who in people for photo in range(8) for m in models for _ in range(6)],
    columns=names,
)
skill = rows.observer.map({who: rng.lognormal(0, 0.2) for who in people})
ease = rows.photo.map({photo: rng.lognormal(0, 0.3) for photo in range(8)})
odd, said = draw_answers("oddity", rows.model.map(models) * skill * ease, rng)
words = {"first": "1", "second": "2", "third": "3"}
rows["odd_one"], rows["key"] = np.array([*words])[odd], np.array([*words])[said]
rows.loc[rng.random(len(rows)) < 0.02, "key"] = ""
rows.to_csv("oddity.csv", index=False)

# %% Answers may be words of yours; trials without one are left out, and counted
roles = {"participant": "observer", "image": "photo", "answer": "odd_one", "response": "key"}
answers = read_trials("oddity.csv", {**roles, "answers": words}, task="oddity")
answers.exclusions

# %% Errors are those of new people and new images, as the column for_whom says
found = dprimes(answers, by="model")
found
# %%
plot_dprime(found)
# %% The same answers under the task's other decision rule
dprimes(answers, by="model", rule="likelihood")
