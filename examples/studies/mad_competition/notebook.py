# %% [markdown]
# # Maximum differentiation: which of two metrics do people contradict?
# After Wang & Simoncelli (2008). Each metric is made as small and as large as it can be while the other
# one keeps its value. A pair that a metric holds, and people tell apart, speaks against this metric.
# The people are simulated.

# %%
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

import stimsynth as ss
from stimuli_store.tools.figures import new_figure

HERE = Path(os.environ.get("STUDY_SIZE", "small"))
data = HERE / "data"
N_PEOPLE = {"small": 3, "published": 8}[HERE.name]
# %% Stimuli: four images for each photograph and level of noise
bank = ss.build(HERE / "plan.toml")
# %% Sessions of people who judge by a third metric, each with a sensitivity of their own
chosen = ss.BankChoice(path=bank.path.name, pin=bank.pin)
design = replace(ss.read_design(HERE / "design.toml"), bank=chosen)
booth = ss.SimulatedBooth(design.screen.size, design.screen.refresh_hz)
judge, sessions = ss.evidence_of(bank, "nlpd"), []
for number, mean in enumerate(np.linspace(0.7, 0.8, N_PEOPLE), start=1):
    who = f"S{number:02}"
    trials = ss.course_of(design, bank, who, session=1).trials
    eye = ss.calibrated_observer("nlpd", judge, trials, design.task, mean_p_correct=mean)
    sessions.append(ss.run_session(design, bank, booth, who, 1, data_dir=data, observer=eye))
answers = ss.answers_of(bank, sessions)
answers
# %% The verdict: a pair that a metric holds, and that people tell apart, speaks against this metric
cells = answers.counts(["held", "level", "participant", "image"])
said = {"participant": cells.participant, "image": cells.image, "task": design.task}
verdict = ss.mad_verdict(cells.held, cells.n_correct, cells.n_trials, level=cells.level, **said)
print(verdict.sentence)
counts = answers.counts(["held", "level"])
counts.assign(**{"P(mse better)": np.tile(verdict.by_level, 2)})


# %% The images of one competition, and how often people agree with the metric that is not held
def picture(axes, record, title):
    axes.imshow(bank.frame(record.sha256).pixels, cmap="gray", vmin=0, vmax=255)
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()


middle = sorted(set(counts.level))[-2]
members = next(m for m in bank.sets.values() if m[0].level.value == middle)
names = [
    "least MSE\nSSIM held",
    "most MSE\nSSIM held",
    "best SSIM\nMSE held",
    "worst SSIM\nMSE held",
]
figure = new_figure(9.5, 4.4, layout="constrained")
grid = [["photograph", *names[:2], "shares"], ["photograph", *names[2:], "shares"]]
axes = figure.subplot_mosaic(grid, width_ratios=[1, 1, 1, 2.4])
picture(axes["photograph"], bank.by_id[members[0].target], "photograph")
for name, member in zip(names, members, strict=True):
    picture(axes[name], member, name)
for held, other, color in (("mse", "SSIM", "#0072b2"), ("ssim", "MSE", "#d55e00")):
    rows = counts[counts.held == held]
    share = rows.n_correct / rows.n_trials
    ends = np.abs(np.array(ss.wilson(rows.n_correct, rows.n_trials)) - share.to_numpy())
    label = f"{held.upper()} held: the better {other}"
    axes["shares"].errorbar(rows.level, share, ends, fmt="o-", color=color, capsize=2, label=label)
axes["shares"].axhline(0.5, color="gray", lw=1, ls=":")
axes["shares"].set(xscale="log", ylim=(0, 1.02), xlabel="noise at the start (standard deviation)")
axes["shares"].set_ylabel("proportion of choices")
axes["shares"].set_xticks(
    sorted(set(counts.level)), [f"{v:.3g}" for v in sorted(set(counts.level))]
)
axes["shares"].minorticks_off()
axes["shares"].legend(loc="lower left", fontsize=8)
figure
