"""Random numbers: the one place that makes generators and draws seeds."""

import hashlib
from numbers import Integral

import numpy as np
import torch

from stimuli_store.errors import InputError

#: Seeds that are drawn lie below this: a float64, and so any reader of JSON, holds them exactly.
_LARGEST = 2**53


def generator_for(purpose: str, seed: int, *numbers: int) -> torch.Generator:
    """Return a generator of its own for a purpose, a seed, and numbers such as that of an item in a batch.

    No two of them share a stream, and none is a stream of ``torch.manual_seed``.

    Parameters
    ----------
    purpose
        What is drawn, in a word or two.
    seed
        Any whole number.
    numbers
        Whole numbers that tell the streams of one seed apart.

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
    # manual_seed would use 32 bits only; the words of its state, which begin at the fourth, hold all.
    generator = torch.Generator().manual_seed(0)
    state = generator.get_state()
    state.view(torch.int64)[3 : 3 + len(words)] = torch.from_numpy(words.astype(np.int64))
    return generator.set_state(state)


def checked_seed(seed: int | None) -> int:
    """Return a seed as a plain whole number; for None, one from torch's global generator.

    That generator is set by ``stimsynth.set_seed``.

    Raises
    ------
    InputError
        If it is neither None nor a whole number of 64 bits.

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
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not -(2**63) <= seed < 2**63:
        raise InputError(f"a seed is a whole number of 64 bits, or None for any; not {seed!r}")
    return int(seed)
