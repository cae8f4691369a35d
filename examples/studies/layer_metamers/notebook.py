# %% [markdown]
# # Metamers of the stages of a network: who recognizes them?
# After Feather, Leclerc, Mądry & McDermott (2023). An image that a stage of a network cannot tell from
# a photograph is a metamer of this stage. All later stages take it for the photograph; do others? Here
# the network itself, a network of other weights, and a model of the retina say from which of two
# photographs it was made.

# %%
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

import stimsynth as ss
from stimuli_store.tools.figures import new_figure

HERE = Path(os.environ.get("STUDY_SIZE", "small"))
data = HERE / "data"
OBSERVERS = {
    "itself": ("the network itself", "#000000"),
    "other": ("a network of other weights", "#d55e00"),
    "retina": ("a model of the retina", "#0072b2"),
}
N_PEOPLE = {"small": 3, "published": 4}[HERE.name]
# %% Stimuli: metamers of five stages for each photograph
bank = ss.build(HERE / "plan.toml")
# %% Sessions: observers of each kind are right in 95 % of the trials with metamers of the first stage
chosen = ss.BankChoice(path=bank.path.name, pin=bank.pin)
design = replace(ss.read_design(HERE / "design.toml"), bank=chosen)
booth = ss.SimulatedBooth(design.screen.size, design.screen.refresh_hz)
answers = {}
for model in OBSERVERS:
    sessions = []
    for who in (f"{model}{n}" for n in range(N_PEOPLE)):
        trials = ss.course_of(design, bank, who, session=1).trials
        first = [t for t in trials if t.factors["level"] == 1]
        eye = ss.calibrated_observer(
            model, ss.evidence_of(bank, model), first, design.task, mean_p_correct=0.95
        )
        run = ss.run_session(design, bank, booth, who, 1, data_dir=data, observer=eye)
        sessions.append(run)
    answers[model] = ss.answers_of(bank, sessions)
# %%
counts = {model: given.counts("level") for model, given in answers.items()}
counts["other"].assign(proportion=counts["other"].n_correct / counts["other"].n_trials)
# %% The metamers of one photograph, and how many are recognized
figure = new_figure(9.5, 5.2, layout="constrained")
stages = [int(stage) for stage in counts["other"].level]
grid = [["photograph", *stages], ["shares"] * (1 + len(stages))]
axes = figure.subplot_mosaic(grid, height_ratios=[1, 1.9])
photo = next(iter(bank.references.values()))
made = [m for m in bank.records if m.level and photo.sha256 in m.targets and not m.member]
of_photo = {m.level.value: m for m in made}
for name, record in {"photograph": photo, **of_photo}.items():
    axes[name].imshow(bank.frame(record.sha256).pixels, cmap="gray", vmin=0, vmax=255)
    axes[name].set(xticks=[], yticks=[], title=name if record is photo else f"stage {name:g}")
shares = axes["shares"]
for model, (label, color) in OBSERVERS.items():
    p = counts[model].n_correct / counts[model].n_trials
    ends = np.abs(
        np.array(ss.wilson(counts[model].n_correct, counts[model].n_trials)) - p.to_numpy()
    )
    shares.errorbar(stages, p, ends, fmt="o-", color=color, capsize=2, label=label)
shares.axhline(0.5, color="gray", lw=1, ls=":", label="chance")
shares.set(xticks=stages, ylim=(0, 1.03), xlabel="stage that the metamer was made of")
shares.set_ylabel("proportion recognized")
shares.legend(loc="lower left", fontsize=8, ncols=2)
figure
