"""Simulated cells of studies in which the right model is known."""

from collections.abc import Mapping

import numpy as np

from analysis.data.cells import Cells
from analysis.observers.links import link_of
from stimuli_store.tasks import task_named


def study(
    rng: np.random.Generator,
    truth: np.ndarray,
    evidence: Mapping[str, np.ndarray],
    *,
    people: int = 8,
    pairs: int = 6,
    n: int = 6,
    sd_people: float = 0.3,
    task: str = "abx",
    rule: str | None = None,
    lapse: float = 0.02,
) -> Cells:
    """Answers of people whose d' is 1.8 times `truth` (G,), times a factor of their own, to G pairs.

    `pairs` of them are of one image. Everybody answers every pair n times.
    """
    known = task_named(task)
    link = link_of(known, rule)
    g = len(truth)
    person, pair = np.repeat(np.arange(people), g), np.tile(np.arange(g), people)
    gain = 1.8 * np.exp(rng.normal(0, sd_people, people))[person]
    p = (1 - lapse) * link.p_correct(gain * truth[pair]) + lapse * link.guess
    count = people * g
    return Cells(
        tasks={task: known},
        participant=np.char.add("p", person.astype(str)),
        image=np.char.add("i", (pair // pairs).astype(str)),
        pair=pair.astype(str),
        task=np.full(count, task),
        rule=np.full(count, link.rule),
        condition=np.full(count, ""),
        level=np.full(count, np.nan),
        criterion=np.full(count, np.nan),
        n_correct=rng.binomial(n, p).astype(float),
        n_trials=np.full(count, float(n)),
        evidence={label: e[pair] for label, e in evidence.items()},
    )


def lognormal(rng: np.random.Generator, size: int, sd: float = 0.7) -> np.ndarray:
    """Positive numbers around 1."""
    return np.exp(rng.normal(0, sd, size))


def exchangeable(seed: int, *, models: int = 8, people: int = 8, images: int = 8) -> Cells:
    """Answers to what is shown, and models that all know it equally well: by chance one fits these images."""
    rng = np.random.default_rng([1, seed])
    image = np.repeat(np.arange(images), 6)
    truth = lognormal(rng, len(image))
    noisy = {
        f"m{k}": truth * lognormal(rng, images, 0.3)[image] * lognormal(rng, len(image), 0.3)
        for k in range(models)
    }
    return study(rng, truth, noisy, people=people)


def coin_for_each_image(seed: int, *, people: int = 8, images: int = 8) -> Cells:
    """Answers of which a coin decides for each image whether the model a or the model b is right."""
    rng = np.random.default_rng([2, seed])
    image = np.repeat(np.arange(images), 6)
    a, b = (lognormal(rng, len(image)) for _ in range(2))
    truth = np.where((rng.random(images) < 0.5)[image], a, b)
    return study(rng, truth, {"a": a, "b": b}, people=people)
