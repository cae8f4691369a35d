"""Seeds: their check, and the global random state of torch and numpy."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from stimuli_store.tools.whole import whole

#: Upper limit of drawn seeds: a float64, and so any JSON reader, holds them exactly.
_LARGEST = 2**53


def set_seed(seed: int) -> None:
    """Seed the global random generators of torch (all devices) and numpy.

    All random functions of this package have their own argument `seed`. Without it a seed is drawn from
    torch's global generator: then two objects differ, and `set_seed` at the start of a script makes both
    reproducible.

    Parameters
    ----------
    seed
        A whole number from 0 to 2³² - 1.

    Raises
    ------
    InputError
        If `seed` is no such number.

    Examples
    --------
    >>> set_seed(1)
    >>> first = torch.rand(3)
    >>> set_seed(1)
    >>> bool((torch.rand(3) == first).all())
    True
    """
    seed = whole(seed, "seed", 0, 2**32 - 1)
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (this is what the function is for)


@contextmanager
def fixed_random_state() -> Iterator[None]:
    """Run a block with torch's global generator at a fixed seed, and restore its state afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def checked_seed(seed: int | None) -> int:
    """Return a seed as a checked int; for None, draw one from torch's global generator.

    That generator is set by ``stimsynth.set_seed``.

    Raises
    ------
    InputError
        If `seed` is neither None nor a whole number of 64 bits.

    Examples
    --------
    >>> from stimsynth import set_seed
    >>> set_seed(1)
    >>> first, second = checked_seed(None), checked_seed(None)
    >>> set_seed(1)
    >>> first == checked_seed(None) != second
    True
    """
    if seed is None:
        return int(torch.randint(_LARGEST, (), device="cpu"))
    return whole(seed, "a seed, if not None,", most=2**63 - 1)


def seed_of_start(seed: int | None, given: bool) -> int | None:
    """Return the checked seed of a random start; None if the start itself was given.

    Examples
    --------
    >>> seed_of_start(None, given=True) is None, seed_of_start(3, given=True)
    (True, 3)
    """
    return None if given and seed is None else checked_seed(seed)
