"""Random generators from seeds."""

import hashlib
from functools import lru_cache

import numpy as np
import torch


def generator_for(purpose: str, seed: int, *numbers: int) -> torch.Generator:
    """Return a random generator for a purpose, a seed, and further numbers such as an index in a batch.

    Different arguments give different streams, and none is a stream of ``torch.manual_seed``.

    Parameters
    ----------
    purpose
        Name of the random quantity.
    seed
        Any whole number.
    numbers
        Whole numbers that distinguish the streams of one seed.

    Returns
    -------
    torch.Generator
        On the CPU.

    Examples
    --------
    >>> a, b = (generator_for("noise", 0, item) for item in (0, 1))
    >>> bool((torch.rand(3, generator=a) == torch.rand(3, generator=b)).any())
    False
    """
    return torch.Generator().set_state(_state(purpose, *(int(n) for n in (seed, *numbers))))


@lru_cache(maxsize=256)  # the probes of functions are drawn from few streams again and again
def _state(purpose: str, *numbers: int) -> torch.Tensor:
    """Return the state in which a generator begins its stream; `set_state` copies it."""
    told = " ".join([purpose, *map(str, numbers)])
    entropy = int.from_bytes(hashlib.sha256(told.encode()).digest(), "big")
    words = np.random.MT19937(np.random.SeedSequence(entropy)).state["state"]["key"]
    # manual_seed uses only 32 bits; the words of the state, which begin at the fourth, hold all bits.
    state = torch.Generator().manual_seed(0).get_state()
    state.view(torch.int64)[3 : 3 + len(words)] = torch.from_numpy(words.astype(np.int64))
    return state
