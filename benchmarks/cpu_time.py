"""CPU time of a call, in seconds."""

import time
from collections.abc import Callable


def seconds(call: Callable[[], object]) -> float:
    """Return the least CPU time of three calls, after one that does not count."""
    call()
    taken = []
    for _ in range(3):
        began = time.process_time()
        call()
        taken.append(time.process_time() - began)
    return min(taken)
