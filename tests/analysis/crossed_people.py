"""Simulated answers of people who differ to images that differ, with known thresholds or critical scaling."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from analysis.observers.links import link_of
from stimuli_store.tasks.abx import ABX

OCTAVES = np.linspace(-2.0, 2.0, 7)
SIGMA, LAPSE, P = 0.6, 0.02, 0.75
SCALINGS = np.array([8.0, 12, 16, 24, 32, 48, 64, 96])
CRITICAL, GAIN = 14.0, 2.6
Rows = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Study:
    """People, images (of each person if nested) and trials at each level, by person; SD in octaves.

    With `seen`, every person sees so many of the images, drawn at random.
    """

    n_people: int = 8
    n_images: int = 8
    n_trials: int | tuple[int, ...] = 40
    sd_people: float = 0.3
    sd_images: float = 0.5
    nested: bool = False
    seen: int = 0

    @property
    def by_person(self) -> np.ndarray:
        """Trials of each person with an image at a level (I,)."""
        return np.broadcast_to(np.array(self.n_trials), (self.n_people,))


def proportion(octaves: np.ndarray) -> np.ndarray:
    """Proportion correct so many octaves above a person's threshold for an image."""
    return 0.5 + (0.5 - LAPSE) * norm.cdf(octaves / SIGMA)


def true_threshold(study: Study) -> float:
    """Octaves at which proportion correct averaged over all people and images is P, by quadrature."""
    z, weight = np.polynomial.hermite_e.hermegauss(61)
    spread = np.hypot(study.sd_people, study.sd_images) * z
    return float(brentq(lambda at: weight @ proportion(at + spread) / weight.sum() - P, -5.0, 5.0))


def answers(
    study: Study, rng: np.random.Generator, weigh: str = "participants"
) -> tuple[Rows, float]:
    """Rows of counts, and the width of the interval of an oracle.

    The oracle knows all variances and all curves, and misses only where the population lies: 3.92 times the
    root of the variances of the people's and the images' weighted means, and of the error that answers leave.
    """
    shape = (study.n_people, study.n_images)
    people = study.sd_people * rng.standard_normal((study.n_people, 1))
    images = study.sd_images * rng.standard_normal(shape if study.nested else (1, shape[1]))
    off = OCTAVES - (people + images)[..., None]
    right_rate = proportion(off)
    total = np.broadcast_to(study.by_person[:, None, None], right_rate.shape).copy()
    if study.seen:
        hidden = rng.permuted(np.tile(np.arange(shape[1]), (shape[0], 1)), axis=1) >= study.seen
        total[hidden] = 0
    right = rng.binomial(total, right_rate)
    slope = (0.5 - LAPSE) * norm.pdf(off / SIGMA) / SIGMA
    information = (total * slope**2 / right_rate / (1 - right_rate)).sum(axis=2)
    share = total.sum(axis=2) / total.sum()
    if weigh == "participants":
        share = share / share.sum(axis=1, keepdims=True) / study.n_people
    by_image = share if study.nested else share.sum(axis=0)
    variance = study.sd_people**2 * (share.sum(axis=1) ** 2).sum()
    variance += study.sd_images**2 * (by_image**2).sum()
    by_person = share.sum(axis=1)
    variance += (by_person**2 / information.sum(axis=1)).sum()
    who, where, at = (index.ravel() for index in np.indices(right.shape))
    labels = who * study.n_images + where if study.nested else where
    rows = (who, labels, np.exp2(OCTAVES)[at], right.ravel(), total.ravel())
    return rows, 3.92 * float(np.sqrt(variance))


def scaling_answers(study: Study, rng: np.random.Generator) -> Rows:
    """Rows of ABX answers; log s₀ and log α₀ differ by the study's SD, in natural logarithms."""
    effects = []
    for middle in (CRITICAL, GAIN):
        people = study.sd_people * rng.standard_normal((study.n_people, 1))
        images = study.sd_images * rng.standard_normal((1, study.n_images))
        effects.append(np.exp(np.log(middle) + people + images)[..., None])
    critical, gain = effects
    dprime = gain * np.maximum(0, 1 - (critical / SCALINGS) ** 2)
    right_rate = (1 - LAPSE) * link_of(ABX).p_correct(dprime) + LAPSE / 2
    total = np.broadcast_to(study.by_person[:, None, None], right_rate.shape)
    right = rng.binomial(total, right_rate)
    who, where, at = (index.ravel() for index in np.indices(right.shape))
    return who, where, SCALINGS[at], right.ravel(), total.ravel()
