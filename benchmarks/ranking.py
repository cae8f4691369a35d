"""Speed of a ranking: a million trials of 40 people, 100 pairs of each of 16 images, and 12 models."""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.cell_counts import cells_of
from analysis.data.cells import Cells, guesses_of
from analysis.data.reading import read_trials
from analysis.observers.sdt import p_correct
from analysis.ranking.dual_bootstrap import resample, spreads_of
from analysis.ranking.folds import folds_of
from analysis.ranking.held_out import score
from analysis.ranking.rank import rank

PEOPLE, IMAGES, PAIRS, REPEATS, MODELS = 40, 16, 100, 16, 12
DRAWS = 1000
MOST_S = {"dual bootstrap": 10.0, "folds of all models": 20.0}
MOST_GB = 4.0


def ranking() -> bool:
    """Print the times of a ranking's steps, and return whether targets of time and memory are met."""
    n = PEOPLE * IMAGES * PAIRS * REPEATS
    print(f"{n:,} trials of {PEOPLE} people, {IMAGES} images, {MODELS} models; CPU time")
    steps: dict[str, float] = {}
    table, roles = trials(0)
    answers = timed(steps, "read", lambda: read_trials(table, roles, task="abx"))
    cells = timed(steps, "count cells", lambda: cells_of(answers))
    bits = timed(steps, "folds of all models", lambda: all_bits(cells))
    timed(steps, "dual bootstrap", lambda: all_pairs(cells, bits))
    timed(steps, "rank, all of it", lambda: rank(answers, n_draws=DRAWS))
    own = with_own_evidence(cells)
    timed(steps, "folds, each cell of its own", lambda: all_bits(own))
    met = True
    for name, taken in steps.items():
        target = MOST_S.get(name)
        met &= target is None or taken <= target
        print(f"{name:>28} {taken:7.2f} s" + (f"   target {target:g} s" if target else ""))
    scale = 1e9 if sys.platform == "darwin" else 1e6
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
    print(f"{'most memory':>28} {gigabytes:7.2f} GB  target {MOST_GB:g} GB")
    return met and gigabytes <= MOST_GB


def timed(steps: dict[str, float], name: str, call: Callable[[], Any]) -> Any:
    """Return what a call returns, and note its CPU time."""
    began = time.process_time()
    found = call()
    steps[name] = time.process_time() - began
    return found


def trials(seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a table with a row for every trial, and the roles of its columns."""
    rng = np.random.default_rng(seed)
    pairs = IMAGES * PAIRS
    truth = np.exp(rng.normal(0, 0.8, pairs))
    person, pair = np.repeat(np.arange(PEOPLE), pairs * REPEATS), np.arange(pairs)
    pair = np.tile(np.repeat(pair, REPEATS), PEOPLE)
    right = rng.random(len(pair)) < 0.98 * p_correct(1.5 * truth, "abx")[pair] + 0.01
    distances = {
        f"model_{k}": (truth * np.exp(rng.normal(0, 0.3, pairs)))[pair] for k in range(MODELS)
    }
    table = pd.DataFrame(
        {"person": person, "image": pair // PAIRS, "correct": right.astype(int), **distances}
    )
    roles = {"participant": "person", "evidence": {name: name for name in distances}}
    return table, roles


def all_bits(cells: Cells) -> np.ndarray:
    """Return the held-out bits of every model (M, C)."""
    folds, guess = folds_of(cells.participant, cells.image, cells.pair), guesses_of(cells)
    return np.stack([score(cells, label, folds, guess).held_out for label in cells.evidence])


def all_pairs(cells: Cells, bits: np.ndarray) -> int:
    """Return the number of pairs of models, after their intervals were computed."""
    found = resample(bits, cells.n_trials, cells.participant, cells.image, n_draws=DRAWS)
    one, two = np.triu_indices(len(bits), 1)
    eye = np.eye(len(bits))
    return len(spreads_of(found, eye[one] - eye[two]))


def with_own_evidence(cells: Cells) -> Cells:
    """Return cells of which no two have the same evidence, as where every trial shows another picture."""
    rng = np.random.default_rng(1)
    evidence = {k: e * np.exp(rng.normal(0, 0.05, len(e))) for k, e in cells.evidence.items()}
    return replace(cells, evidence=evidence)
