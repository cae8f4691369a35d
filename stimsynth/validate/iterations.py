"""Numbers of iterations, counted from the start or from the end."""

from stimuli_store.errors import InputError
from stimuli_store.tools.whole import whole


def iterate_number(iteration: int | None, last: int) -> int:
    """Return the number of an iteration, counted from the start; None is the last.

    Raises
    ------
    InputError
        If there is no such iteration.

    Examples
    --------
    >>> iterate_number(-10, 100), iterate_number(None, 100)
    (91, 100)
    """
    if last < 0:
        raise InputError("there are no losses yet; call synthesize first")
    number = -1 if iteration is None else whole(iteration, "iteration")
    if not -last - 1 <= number <= last:
        raise InputError(f"iterations go from 0 to {last}; there is no iteration {iteration}")
    return number % (last + 1)
