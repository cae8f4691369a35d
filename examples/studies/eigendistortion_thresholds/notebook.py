# %% [markdown]
# # Thresholds of eigendistortions
# After Berardino, Ballé, Laparra & Simoncelli (2017), *Eigen-distortions of hierarchical representations*.
#
# A model's Fisher information says which change of an image it sees most, and which least: the eigenvectors
# with the largest and the smallest eigenvalue λ. If people see as the model does, they need exp(D) times as
# much of the second as of the first, D = ½ ln(λmax / λmin).

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
    evidence_of,
    fit_distortion_ratio,
    plot_distortion_ratios,
    predicted_ratio,
    read_design,
    run_session,
)

HERE = Path(os.environ.get("STUDY_SIZE", "small"))
N_PEOPLE = {"small": 2, "published": 4}[HERE.name]

# %% The bank: both ends of the spectrum of each model, added to photographs at several amplitudes
bank = build(HERE / "plan.toml")
flagged = sum(bool(record.flags) for record in bank.records)
print(bank.pin, f"{len(bank.records)} images, {flagged} with flags")

# %% The largest amplitude of each end, for one photograph
target = next(record.name for record in bank.records if record.kind == "reference")
rows = {"most": [], "least": []}
for label, members in bank.sets.items():
    if label.startswith(f"{target}/"):
        name, end = label.split("/")[1].split("-")
        pixels, largest = bank.frame(members[-1].name).pixels, members[-1].level.value
        rows[end].append(Tile(pixels=pixels, heading=f"{name}, {end} {largest:g}"))
display_stimuli(list(rows.values()))

# %% Sessions: simulated people, who see through the model OnOff
chosen = BankChoice(path=bank.path.name, pin=bank.pin)
design = replace(read_design(HERE / "design.toml"), bank=chosen)
booth = SimulatedBooth(design.screen.size, design.screen.refresh_hz)
observer = ModelObserver(
    model="OnOff",
    evidence=evidence_of(bank, "OnOff"),
    gain=3e-4**-2,  # d' = 1 at a distance of 3e-4, and grows with its square
    exponent=2.0,
    task=design.task,
    rule=design.rule,
)
people = [f"S{number:02d}" for number in range(1, N_PEOPLE + 1)]
where = {"data_dir": HERE / "data", "observer": observer}
sessions = [run_session(design, bank, booth, person, 1, **where) for person in people]

# %% D of each model and photograph, with what the model predicts
answers = answers_of(bank, sessions)
answers.table["model"] = [label.split("/")[1].split("-")[0] for label in answers.table.set]
eigenvalue = {}
for record in bank.records:
    if "eigenvalue" in record.certificate.figures:
        image, name = record.set.split("/")
        eigenvalue[(image, *name.split("-"))] = record.certificate.figures["eigenvalue"]
ratios = {}
for (name, image), part in answers.groups(["model", "image"]):
    predicted = predicted_ratio(*(eigenvalue[image, name, end] for end in ("most", "least")))
    counts = part.counts(["distortion", "level"]).to_numpy().T
    found = fit_distortion_ratio(*counts, task=design.task, predicted=predicted)
    ratios.setdefault(name, []).append(found)

# %% On the diagonal lies a model that sees as the observers do; below it, one that does not
plot_distortion_ratios(ratios)
