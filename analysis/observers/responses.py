"""Probabilities of all responses, given the right answer, for observers who prefer some answers to others.

A rule gives every answer a score, and the highest is said. A biased observer adds a constant to the score of
each answer: the bias, in standard deviations of a percept. The scores of two intervals of 2IFC are their
percepts, so that a bias moves the criterion (Macmillan & Creelman 2005, *Detection Theory*, chapters 2 and
7); for m intervals this is the model of Green & Swets (1966) with a bias for each.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from analysis.observers.rules import (
    DIFFERENCING,
    best_criterion,
    decision_variable,
    log_likelihoods,
    scores_of_differences,
)
from analysis.observers.structure import Structure, signal_of
from analysis.observers.tabulated import quasi_normal

#: Base-2 logarithm of the number of percepts in each cell that probabilities are means over.
_LOG_PERCEPTS = 12
_SMALLEST = 1e-3


def answer_scores(structure: Structure, rule: str, d: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the score of each answer (n, answers), from percepts x (n, intervals) and d' (n,).

    It is the log likelihood divided by d', or minus the root mean squared difference of the intervals that
    ought to look the same. In a task with a criterion it is the decision variable for the answer that reports
    a difference, and 0 for the other. Independent observation has the scores of likelihood, its equal.
    """
    if structure.criterion:
        scores = np.zeros((len(x), structure.n_answers))
        scores[:, signal_of(structure)] = decision_variable(structure, rule, d, x)
        return scores
    if rule == DIFFERENCING:
        return scores_of_differences(structure, x)
    sensitivity = np.maximum(d, _SMALLEST)
    logs = log_likelihoods(structure.at, structure.votes, sensitivity, x)
    return logs / sensitivity[:, None]


@dataclass(frozen=True, kw_only=True)
class Percepts:
    """Quasi-random percepts of an observer with one d', as scores of the answers they lead to.

    Attributes
    ----------
    scores
        Score of each answer (N, answers).
    weights
        Share that a percept has in the trials of each right answer (N, answers); each column sums to 1.
    """

    scores: np.ndarray
    weights: np.ndarray

    def probabilities(self, bias: np.ndarray) -> np.ndarray:
        """Return the probability of each response (columns) for each right answer (rows), (answers, answers).

        Every percept counts for all right answers, by the probability that it came from a trial of each.
        """
        said = (self.scores + bias).argmax(axis=1)
        return np.stack([np.bincount(said, weights=w, minlength=len(bias)) for w in self.weights.T])


@lru_cache(maxsize=16)
def percepts_at(structure: Structure, rule: str, d: float) -> Percepts:
    """Return the percepts of all cells of a task at a sensitivity d' of 0 or more; always the same ones."""
    noise, _ = quasi_normal(len(structure.parts), _LOG_PERCEPTS, 0)
    x = (noise[:, None, :] + d * structure.at).reshape(-1, noise.shape[1])
    sensitivity = np.full(len(x), max(d, _SMALLEST))
    logs = log_likelihoods(structure.at, structure.votes, sensitivity, x)
    odds = np.exp(logs - logs.max(axis=1, keepdims=True))
    weights = odds / odds.sum(axis=1, keepdims=True)
    return Percepts(
        scores=answer_scores(structure, rule, sensitivity, x), weights=weights / weights.sum(axis=0)
    )


def best_bias(structure: Structure, rule: str, d: np.ndarray) -> np.ndarray:
    """Return the bias with the fewest errors, (n, answers): 0, but minus the criterion if there is one."""
    bias = np.zeros((len(d), structure.n_answers))
    if structure.criterion:
        bias[:, signal_of(structure)] = -best_criterion(structure, rule, d)
    return bias
