"""
Analysis of a session
=====================

From the journals of an experiment to its result: look at the answers first, then fit, then compare models.
"""

# %%
# Journals, here of three simulated people in an ABX experiment: are metamers told from their photograph? With
# data of your own begin at the next cell, with ``bank = open_bank("…h5")``.
import tempfile
from pathlib import Path

from stimsynth import (
    BankChoice,
    DesignFile,
    Sampling,
    SimulatedBooth,
    TaskChoice,
    answers_of,
    build,
    calibrated_observer,
    course_of,
    design_from,
    diagnose,
    evidence_of,
    fit,
    plot_fit,
    plot_ranking,
    plot_residuals,
    plot_response_times,
    plot_thresholds,
    rank,
    read_sessions,
    run_session,
    write_report,
)

folder = Path(tempfile.mkdtemp())
pools = {f"pool{n}": {"use": "UniformPooling", "params": {"window_px": n}} for n in (7, 20)}
plan = {
    "bank": {"name": "small", "version": "1.0.0", "license": "CC0-1.0"},
    "targets": {"images": ["camera", "coffee", "chelsea"], "size": 64},
    "models": {"pool": {"use": "UniformPooling"}, **pools},
    "sets": [
        {
            "kind": "metamer",
            "model": "pool",
            "level": {"window_px": [4, 6, 8, 12, 16]},
            "max_iter": 20,
            "grid": "rounded",
        }
    ],
    "predict": {"models": ["mse", *pools]},
}
bank = build(plan, folder)
design = design_from(
    DesignFile(
        bank=BankChoice(path=bank.path.name, pin=bank.pin),
        task=TaskChoice(name="abx"),
        design=Sampling(comparisons=("reference-member",), repeats=8, seed=1),
    )
)
booth = SimulatedBooth(design.screen.size, design.screen.refresh_hz)
for person in ("S01", "S02", "S03"):
    trials = course_of(design, bank, person, session=1).trials
    eye = calibrated_observer(
        "pool7", evidence_of(bank, "pool7"), trials, design.task, mean_p_correct=0.75
    )
    run_session(design, bank, booth, person, 1, data_dir=folder / "data", observer=eye)

# %%
# Read them. A trial whose frame was not verified is left out, and counted.
answers = answers_of(bank, read_sessions(folder / "data"))
answers

# %%
# Before any fit: did people press one key, answer too fast, or learn?
for check in diagnose(answers):
    print(check.sentence)

# %%
# Response times, in seconds.
plot_response_times(answers.table.rt_s)

# %%
# The threshold, and whether the curve describes the answers.
(threshold,) = fit(answers)
threshold

# %%
plot_fit(threshold, unit="px")

# %%
plot_residuals(threshold, unit="px")

# %%
# People differ: one fit for each.
fits = fit(answers, by="participant")
fits

# %%
plot_thresholds(fits, unit="px")

# %%
# Which model predicts the answers best? Its predictions are for people and photographs that it was not
# fitted to.
ranking = rank(answers, n_draws=300)
plot_ranking(ranking)

# %%
# All of this, and more, as one page to keep with the data.
results = write_report(answers, folder / "report", bank=bank)
print(results.ranking.sentence)
sorted(path.name for path in (folder / "report").iterdir())
# sphinx_gallery_thumbnail_number = -1
