# %% [markdown]
# # Critical scaling of luminance and energy, on a split screen
# After Broderick, Rufo, Winawer & Simoncelli (2025), *Foveated metamers of the early visual system*.
#
# A pooling model averages a feature of the image in windows that grow with distance from fixation. Its
# metamers have the same averages as a photograph and differ in all else. Up to the *critical scaling* of the
# windows people do not see the difference. Here two features are compared: luminance and oriented energy.

# %%
import os
from dataclasses import replace
from pathlib import Path

from stimsynth import (
    BankChoice,
    SimulatedBooth,
    Tile,
    answers_of,
    build,
    calibrated_observer,
    course_of,
    display_stimuli,
    evidence_of,
    fit_critical_scaling,
    plot_scaling,
    read_design,
    run_session,
)

HERE = Path(os.environ.get("STUDY_SIZE", "small"))
MODELS = ("luminance", "energy")
N_PEOPLE = {"small": 3, "published": 8}[HERE.name]

# %% The bank: metamers of both models at several scalings, and what the eye of the observers says of each
bank = build(HERE / "plan.toml")
print(bank.pin, f"{len(bank.records)} images")

# %% A photograph, and its metamers
target = next(record for record in bank.records if record.kind == "reference")
rows = []
for model in MODELS:
    sets = [s[0] for label, s in bank.sets.items() if label.startswith(f"{target.name}/{model}/")]
    tiles = [Tile(pixels=bank.frame(target.name).pixels, heading=target.name)]
    tiles += [
        Tile(pixels=bank.frame(one.name).pixels, heading=f"{model} {one.level.value:.2g}")
        for one in sets
    ]
    rows.append(tiles)
display_stimuli(rows)

# %% Sessions: simulated people, who see through windows of energy. For real ones, replace the booth by
# open_booth(design.screen), and leave out the observer
chosen = BankChoice(path=bank.path.name, pin=bank.pin)
design = replace(read_design(HERE / "design.toml"), bank=chosen)
booth = SimulatedBooth(design.screen.size, design.screen.refresh_hz)
eye, sessions = evidence_of(bank, "eye"), []
for person in (f"S{number:02d}" for number in range(1, N_PEOPLE + 1)):
    trials = course_of(design, bank, person, session=1).trials
    observer = calibrated_observer("eye", eye, trials, design.task, mean_p_correct=0.75)
    sessions.append(
        run_session(design, bank, booth, person, 1, data_dir=HERE / "data", observer=observer)
    )

# %% Proportion correct by comparison (with the photograph, or of two metamers), model and scaling
answers = answers_of(bank, sessions)
answers.table["model"] = [label.split("/")[1] for label in answers.table.set]
answers.counts(["comparison", "model", "level"])

# %% The paper's figure: proportion correct over scaling, and critical scaling of each model
axes = None
for (comparison, model), part in answers.groups(["comparison", "model"]):
    scaling = fit_critical_scaling(*part.counts("level").to_numpy().T, task=design.task)
    compared = {"reference-member": "photograph", "member-member": "pairs"}
    axes = plot_scaling(scaling, axes, label=f"{model}, {compared[comparison]}")
axes
