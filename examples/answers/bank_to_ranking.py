# %% [markdown]
# # From a bank and session journals to a ranking of models

# %%
from pathlib import Path

import experiments as booth
from analysis import answers_of, calibrated_observer, evidence_of, rank, read_sessions
from analysis.plots import plot_ranking
from stimsynth.banks.build import build

# %% A small bank (yours: open_bank of its path) with what three models say about every pair
pools = {f"pool{n}": {"use": "UniformPooling", "params": {"window_px": n}} for n in (7, 20)}
level = {"window_px": [4, 8, 16]}
plan = {
    "bank": {"name": "tiny", "version": "1.0.0", "license": "CC0-1.0"},
    "targets": {"images": ["camera", "grass"], "size": 64},
    "models": {"pool": {"use": "UniformPooling"}, **pools},
    "sets": [{"kind": "metamer", "model": "pool", "level": level, "max_iter": 20}],
    "predict": {"models": ["mse", *pools]},
}
bank = build(plan, Path())
# %% Sessions of four simulated people who see through "pool7", each with a journal
chosen = booth.BankChoice(path=bank.path.name, pin=bank.pin)
sampling = booth.Sampling(comparisons=("reference-member",), repeats=16, seed=1)
abx = booth.TaskChoice(name="abx")
design = booth.design_from(booth.DesignFile(bank=chosen, task=abx, design=sampling))
screen = booth.SimulatedBooth(design.screen.size, design.screen.refresh_hz)
for who in ("S01", "S02", "S03", "S04"):
    told = evidence_of(bank, "pool7"), booth.course_of(design, bank, who, session=1).trials
    eye = calibrated_observer("pool7", *told, design.task, mean_p_correct=0.75)
    booth.run_session(design, bank, screen, who, 1, data_dir=Path("data"), observer=eye)
# %%
answers = answers_of(bank, read_sessions("data"))
answers
# %%
ranking = rank(answers, n_draws=500)
ranking
# %%
plot_ranking(ranking)
