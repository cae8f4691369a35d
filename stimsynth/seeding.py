"""Global random state of torch and numpy."""

import numpy as np
import torch


def set_seed(seed: int) -> None:
    """Seed the global random generators of torch (all devices) and numpy.

    All random functions of this package have their own argument `seed`. Without it a seed is drawn from
    torch's global generator: then two objects differ, and `set_seed` at the start of a script makes both
    reproducible.

    Parameters
    ----------
    seed
        A whole number from 0 to 2³² - 1.

    Examples
    --------
    >>> set_seed(1)
    >>> first = torch.rand(3)
    >>> set_seed(1)
    >>> bool((torch.rand(3) == first).all())
    True
    """
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (this is what the function is for)
