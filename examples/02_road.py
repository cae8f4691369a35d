"""From a photograph to a threshold, in Python: the steps of `stimsynth demo`, made small.

Run it: python examples/02_road.py [FOLDER]
"""

import sys
from pathlib import Path

from analysis import answers_of, calibrated_observer, evidence_of, write_report
from experiments import (
    BankChoice,
    DesignFile,
    Sampling,
    SimulatedBooth,
    TaskChoice,
    course_of,
    design_from,
    run_session,
)
from stimsynth.banks.build import build

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
folder.mkdir(exist_ok=True)

# 1. Synthesize: metamers of a pooling model, two photographs, six window sizes, two seeds each. The
#    bank also stores what three models say about every pair of images that can be compared.
plan = {
    "bank": {"name": "road", "version": "1.0.0", "license": "CC0-1.0"},
    "targets": {"images": ["camera", "grass"], "size": 64},
    "models": {
        "pool": {"use": "UniformPooling"},
        "pooling7": {"use": "UniformPooling", "params": {"window_px": 7}},
        "pooling20": {"use": "UniformPooling", "params": {"window_px": 20}},
    },
    "sets": [
        {
            "kind": "metamer",
            "model": "pool",
            "level": {"window_px": [4, 6, 8, 12, 16, 24]},
            "seeds": [0, 1],
            "max_iter": 60,
            "grid": "rounded",  # quicker; left out, results are finished on the levels of the screen
        }
    ],
    "predict": {"models": ["mse", "pooling7", "pooling20"]},
}
bank = build(plan, folder)
print(f"bank {bank.pin}: {len(bank.records)} stimuli, models {', '.join(bank.model_labels)}")

# 2. Design: ABX, every metamer against its photograph. The pin names exactly this bank.
design = design_from(
    DesignFile(
        bank=BankChoice(path=bank.path.name, pin=bank.pin),
        task=TaskChoice(name="abx", rule="independent"),
        design=Sampling(comparisons=("reference-member",), repeats=16, seed=1),
    )
)

# 3. Run sessions. These observers see through the model "pooling7"; replace the booth by
#    experiments.open_booth(design.screen) and leave out the observer for people.
sessions = []
for participant in ("S01", "S02", "S03", "S04"):
    trials = course_of(design, bank, participant, session=1).trials
    evidence = evidence_of(bank, "pooling7")
    observer = calibrated_observer("pooling7", evidence, trials, design.task, mean_p_correct=0.75)
    booth = SimulatedBooth(design.screen.size, design.screen.refresh_hz)
    data = folder / "data"
    session = run_session(design, bank, booth, participant, 1, data_dir=data, observer=observer)
    sessions.append(session)
    correct = sum(record.correct for record in session.records)
    print(f"{participant}: {correct} of {len(session.records)} trials correct")

# 4. Analyse: the threshold with its interval beside the true one, and the model that agrees best.
answers = answers_of(bank, sessions)
results = write_report(answers, folder / "report", bank=bank, sessions=sessions)
low, high = results.interval
print(f"threshold {results.threshold:.1f} px, 95 % interval {low:.1f} to {high:.1f}", end="; ")
print(f"the observers' own: {results.true_threshold:.1f} px")
print(f"models that agree best: {results.ranking.sentence}")
print(f"report: {(folder / 'report' / 'report.html').resolve()}")
