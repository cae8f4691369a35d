"""Global random state, for code that is not ours."""

import numpy as np
import torch


def set_seed(seed: int) -> None:
    """Seed the global random generators of torch (all devices) and numpy.

    Whatever is random in this package takes a seed of its own. Where none is given, it is drawn from torch's
    global generator: then two objects differ, and a script that begins with this makes both again.

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
