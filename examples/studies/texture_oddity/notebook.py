# %% [markdown]
# # Texture metamers in oddity
# After Wallis et al. (2017), *A parametric texture model based on deep convolutional features closely
# matches texture appearance for humans*, and Wallis et al. (2019), *Image content is more important than
# Bouma's Law for scene metamers*.
#
# Three pictures are shown, two of them the same; which one is the odd one? One is a photograph, the other
# has the same texture statistics. People look at the pictures, or 10 degrees beside them.

# %%
import os
from dataclasses import replace
from pathlib import Path

from stimsynth import (
    BankChoice,
    ModelObserver,
    SimulatedBooth,
    Tile,
    answers_of,
    build,
    display_stimuli,
    dprimes,
    evidence_of,
    plot_dprime,
    read_design,
    run_session,
)
from stimuli_store.tools.figures import axes_in_row, new_figure

HERE = Path(os.environ.get("STUDY_SIZE", "small"))
N_PEOPLE = {"small": 2, "published": 10}[HERE.name]
VIEWING = ("parafoveal", "inspection")  # sessions 1 and 2
TEXTURES = ("brick", "grass", "gravel")  # the other photographs are of scenes

# %% The bank: metamers of two texture models, and what the eye in either viewing condition says of each
bank = build(HERE / "plan.toml")
print(bank.pin, f"{len(bank.records)} images")

# %% Photographs on top, and their metamers
names = [record.name for record in bank.records if record.kind == "reference"]
rows = [[Tile(pixels=bank.frame(name).pixels, heading=name) for name in names]]
for model in ("PS", "network"):
    sets = [bank[f"{name}/{model}"][0] for name in names]
    rows.append([Tile(pixels=bank.frame(one.name).pixels, heading=model) for one in sets])
display_stimuli(rows)

# %% Sessions: simulated people, whose d' is 40 times the distance that the eye's model sees
chosen = BankChoice(path=bank.path.name, pin=bank.pin)
design = replace(read_design(HERE / "design.toml"), bank=chosen)
booth = SimulatedBooth(design.screen.size, design.screen.refresh_hz)
sessions = []
for number, viewing in enumerate(VIEWING, start=1):
    eye = evidence_of(bank, viewing)
    observer = ModelObserver(
        model=viewing, evidence=eye, gain=40.0, task=design.task, rule=design.rule
    )
    where = {"data_dir": HERE / "data", "observer": observer}
    people = [f"S{person:02d}" for person in range(1, N_PEOPLE + 1)]
    sessions += [run_session(design, bank, booth, person, number, **where) for person in people]

# %% d' by viewing condition, content and model; the column for_whom says for whom the interval speaks
answers = answers_of(bank, sessions)
answers.table["viewing"] = [VIEWING[session - 1] for session in answers.table.session]
answers.table["model"] = [label.split("/")[1] for label in answers.table.set]
answers.table["content"] = ["texture" if i in TEXTURES else "scene" for i in answers.table.image]
dprimes(answers, by=["viewing", "content", "model"])

# %% The papers' figure: sensitivity for each photograph and model, in both viewing conditions
axes = axes_in_row(new_figure(11.5, 1.0 + 0.5 * len(names), layout="constrained"), [1, 1])
for ax, viewing in zip(axes, VIEWING, strict=True):
    ax.set_title(viewing)
    found = dprimes(answers.only(viewing=viewing), by=["content", "image", "model"])
    plot_dprime(found, ax)
limits = -0.2, max(ax.get_xlim()[1] for ax in axes)
for ax in axes:
    ax.set_xlim(limits)
axes[0]
