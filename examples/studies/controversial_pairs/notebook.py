# %% [markdown]
# # Controversial pairs: stimuli on which models disagree tell which of them people use
# After Golan, Raju & Kriegeskorte (2020). For every two models there are pairs of images that are
# equally far from a photograph for one of them, and differ for the other as much as they can. People
# say which of the two is more like the photograph. They are simulated, and use one of the models.

# %%
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

import stimsynth as ss
from stimuli_store.tools.figures import new_figure

HERE = Path(os.environ.get("STUDY_SIZE", "small"))
data = HERE / "data"
CORRECT = {"small": (0.6, 0.65, 0.7), "published": np.linspace(0.7, 0.8, 6)}[HERE.name]
TRUE_MODEL = "retina"
# %% Stimuli: for every two models and every photograph, each model's least and most under the other one
bank = ss.build(HERE / "plan.toml")
models = bank.model_labels
# %% Sessions of people who use the true model, each with a sensitivity of their own
chosen = ss.BankChoice(path=bank.path.name, pin=bank.pin)
design = replace(ss.read_design(HERE / "design.toml"), bank=chosen)
booth = ss.SimulatedBooth(design.screen.size, design.screen.refresh_hz)
judge, sessions = ss.evidence_of(bank, TRUE_MODEL), []
for number, mean in enumerate(CORRECT, start=1):
    who = f"S{number:02}"
    trials = ss.course_of(design, bank, who, session=1).trials
    eye = ss.calibrated_observer(
        TRUE_MODEL, judge, trials, design.task, mean_p_correct=mean, exponent=0.5
    )
    sessions.append(ss.run_session(design, bank, booth, who, 1, data_dir=data, observer=eye))
answers = ss.answers_of(bank, sessions)
answers
# %% Which model predicts answers about photographs and people that it was not fitted to?
ranking = ss.rank(answers, n_draws=500)
print(ranking.sentence)
ranking
# %% The stimuli, one pair for every model that sees a difference and every one that sees none; the ranking
figure = new_figure(12, 4.6, layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1, 0.9])
panels = left.subplots(len(models), len(models), squeeze=False)
shares = answers.counts(["held", "pushed"]).set_index(["held", "pushed"])
trials = ss.course_of(design, bank, "S01", session=1).trials
for row, held in enumerate(models):
    for column, pushed in enumerate(models):
        axes = panels[row, column]
        axes.set(xticks=[], yticks=[], frame_on=False, box_aspect=0.5)
        axes.set_ylabel(held if column == 0 else "", fontsize=9)
        axes.set_title(pushed if row == 0 else "", fontsize=9)
        if held != pushed:
            case = {"held": held, "pushed": pushed, "target": min(answers.table.target)}
            pair = next(t for t in trials if case.items() <= t.factors.items()).stimuli
            frames = [bank.frame(pair[role]).pixels for role in ("near", "far")]
            axes.imshow(np.hstack(frames), cmap="gray", vmin=0, vmax=255)
            share = shares.n_correct[held, pushed] / shares.n_trials[held, pushed]
            axes.set_xlabel(f"left: {share:.0%}", fontsize=8)
left.supylabel("the same for", fontsize=10)
left.suptitle("left nearer, right farther for", fontsize=10)
ss.plot_ranking(ranking, ax=right.subplots()).set_title("answers predicted by", fontsize=10)
figure
