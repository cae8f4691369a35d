# %% [markdown]
# # Straightness: are sequences straighter for people than in their pixels?
# After Hénaff, Goris & Simoncelli (2019). People tell the frames of a sequence apart, every two of
# them. Their d′ are distances, from which the angles between the steps of the sequence follow. The
# people are simulated: they see through pooled energies, in which a moving picture turns less than in
# its pixels, and a cross-fade, whose pixels go straight, turns more.

# %%
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from curvature import perceptual_curvature
from frames import write_frames

import stimsynth as ss
from stimsynth.transforms import discrete_curvature
from stimuli_store.tools.figures import new_figure

HERE = Path(os.environ.get("STUDY_SIZE", "small"))
N_PEOPLE = {"small": 2, "published": 5}[HERE.name]
# %% Stimuli: a window that moves over a photograph, and a cross-fade between the ends of each motion
write_frames(HERE.name)
bank = ss.build(HERE / "plan.toml")
# %% Sessions: of three frames, is the one in the middle the first or the last?
chosen = ss.BankChoice(path=bank.path.name, pin=bank.pin)
design = replace(ss.read_design(HERE / "design.toml"), bank=chosen)
booth = ss.SimulatedBooth(design.screen.size, design.screen.refresh_hz)
seen, sessions = ss.evidence_of(bank, "early-vision"), []
for who in (f"S{n:02}" for n in range(1, N_PEOPLE + 1)):
    trials = ss.course_of(design, bank, who, session=1).trials
    eye = ss.calibrated_observer("early-vision", seen, trials, design.task, mean_p_correct=0.82)
    run = ss.run_session(design, bank, booth, who, 1, data_dir=HERE / "data", observer=eye)
    sessions.append(run)
answers = ss.answers_of(bank, sessions)
answers
# %% Curvature of every sequence: in its pixels, of percepts by the answers, and in the model of the observers
number = {record.sha256: record.member for record in bank.records}
counts = answers.counts(["set", "stimulus_p", "stimulus_q"])
model, curvatures = ss.UniformPooling(window_px=8).double(), {}
for label, members in bank.sets.items():
    pixels = np.stack([bank.frame(member.sha256).pixels for member in members]) / 255
    frames = torch.from_numpy(pixels)[:, None]
    own = counts[counts.set == label]
    pairs = np.array(
        [sorted(map(number.get, pair)) for pair in own[["stimulus_p", "stimulus_q"]].values]
    )
    told = perceptual_curvature(pairs, own.n_correct, own.n_trials, ss.link_of(design.task))
    in_pixels, in_model = (float(discrete_curvature(y).mean()) for y in (frames, model(frames)))
    curvatures[label] = {"in pixels": in_pixels, "of percepts": told, "in the model": in_model}
    print(f"{label:16} " + ", ".join(f"{name} {v:.0f}°" for name, v in curvatures[label].items()))
# %% Sequences, and curvature of percepts against curvature in pixels
figure = new_figure(10.5, 4.8, layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1.5, 1])
shown = list(bank.sets)[:2]
strips = left.subplots(len(shown), 1)
for axes, label in zip(strips, shown, strict=True):
    strip = np.hstack([bank.frame(member.sha256).pixels for member in bank.sets[label]])
    axes.imshow(strip, cmap="gray", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[], title=label)
axes = right.subplots()
axes.axline((0, 0), slope=1, color="gray", lw=1, ls=":")
for fades, name, marker, color in (
    (False, "motion", "o", "#0072b2"),
    (True, "cross-fade", "s", "#d55e00"),
):
    chosen = [v for label, v in curvatures.items() if ("fade" in label) == fades]
    x, y, true = np.array([list(v.values()) for v in chosen]).T
    axes.plot(x, y, marker, color=color, label=f"{name}, answers")
    axes.plot(x, true, marker, mfc="none", color=color, label=f"{name}, model")
axes.set(xlim=(-5, 130), ylim=(-5, 130), aspect="equal", xlabel="curvature in pixels (degrees)")
axes.set_ylabel("curvature of percepts (degrees)")
right.legend(fontsize=8, loc="outside lower center", ncols=2)
figure
