"""Random generators from seeds."""

import hashlib

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
    told = " ".join([purpose, *(str(int(number)) for number in (seed, *numbers))])
    entropy = int.from_bytes(hashlib.sha256(told.encode()).digest(), "big")
    words = np.random.MT19937(np.random.SeedSequence(entropy)).state["state"]["key"]
    # manual_seed uses only 32 bits; the words of the state, which begin at the fourth, hold all bits.
    generator = torch.Generator().manual_seed(0)
    state = generator.get_state()
    state.view(torch.int64)[3 : 3 + len(words)] = torch.from_numpy(words.astype(np.int64))
    return generator.set_state(state)
