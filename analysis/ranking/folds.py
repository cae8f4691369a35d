"""Cross-validation folds that hold out images and participants together, never single trials."""

import hashlib
from dataclasses import dataclass

import numpy as np

_PARTICIPANT_GROUPS = 5
_IMAGE_GROUPS = 10
_PAIR_GROUPS = 5


@dataclass(frozen=True, kw_only=True)
class Folds:
    """Pairs of masks (train, test) over cells (C,), and a sentence that describes the held-out data.

    `held_out` is whether anything is held out: if not, everything is both trained on and tested.
    """

    pairs: tuple[tuple[np.ndarray, np.ndarray], ...]
    scheme: str
    held_out: bool = True


def folds_of(participant: np.ndarray, image: np.ndarray, pair: np.ndarray) -> Folds:
    """Return crossed folds over participants and images; each cell is tested exactly once.

    With a single image only participants are held out; with a single participant only images; with one
    of each, pairs of stimuli. With a single pair nothing can be held out, and `scheme` says so.

    Parameters
    ----------
    participant, image, pair
        Names of each cell's participant, image and pair (C,).
    """
    people, images = len(np.unique(participant)), len(np.unique(image))
    if people > 1 and images > 1:
        return _crossed(
            _groups(participant, _PARTICIPANT_GROUPS),
            _groups(image, _IMAGE_GROUPS),
            "held out: one image and one group of participants at a time, crossed",
        )
    if people > 1:
        return _single(
            _groups(participant, _PARTICIPANT_GROUPS),
            "held out: one group of participants at a time; there is only one image, so nothing is "
            "known about other images",
        )
    if images > 1:
        return _single(
            _groups(image, _IMAGE_GROUPS),
            "held out: one image at a time; there is only one participant, so nothing is known "
            "about other people",
        )
    if len(np.unique(pair)) > 1:
        return _single(
            _groups(pair, _PAIR_GROUPS),
            "held out: groups of stimulus pairs; there is one image and one participant, so "
            "nothing is known about others of either",
        )
    everything = np.ones(len(pair), dtype=bool)
    return Folds(
        pairs=((everything, everything),),
        scheme="nothing was held out, since there is a single pair, shown to one participant",
        held_out=False,
    )


def folds_over_people(participant: np.ndarray) -> Folds:
    """Return folds that hold out one group of participants at a time, with all images in the fit."""
    return _single(
        _groups(participant, _PARTICIPANT_GROUPS),
        "held out: one group of participants at a time, but no image",
    )


def _groups(names: np.ndarray, most: int) -> np.ndarray:
    """Return a group number per cell; names are assigned to groups in the order of their hashes."""
    known = sorted(
        np.unique(names).tolist(), key=lambda n: hashlib.sha256(str(n).encode()).digest()
    )
    number = {name: i % most for i, name in enumerate(known)}
    return np.array([number[name] for name in names.tolist()])


def _crossed(people: np.ndarray, images: np.ndarray, scheme: str) -> Folds:
    pairs = []
    for p in np.unique(people):
        for i in np.unique(images):
            test = (people == p) & (images == i)
            train = (people != p) & (images != i)
            if test.any() and not train.any():  # no other participant saw another image
                train = ~test
            if test.any():
                pairs.append((train, test))
    return Folds(pairs=tuple(pairs), scheme=scheme)


def _single(groups: np.ndarray, scheme: str) -> Folds:
    pairs = tuple((groups != g, groups == g) for g in np.unique(groups))
    return Folds(pairs=pairs, scheme=scheme)
