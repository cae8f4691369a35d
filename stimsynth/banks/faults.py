"""Faults of a plan, found one by one and reported together."""

from collections.abc import Iterator
from contextlib import contextmanager

from stimuli_store.errors import InputError


class Faults:
    """Faults that are found one by one and reported together.

    Parameters
    ----------
    where
        Words before the sentences, such as the name of the plan's file.
    """

    def __init__(self, where: str = "") -> None:
        self.where = where
        self.sentences: list[str] = []
        #: How sentences begin that only follow from a fault that is kept.
        self.follow: list[str] = []

    @contextmanager
    def collect(self, only: tuple[str, ...] = ("",)) -> Iterator[None]:
        """Keep the sentences of an `InputError` from the block that begin with one of `only`."""
        try:
            yield
        except InputError as error:
            found = [line for line in str(error).splitlines() if line.startswith(only) and line]
            self.sentences += [line for line in found if not line.startswith(tuple(self.follow))]

    def report(self) -> None:
        """Raise one `InputError` with all sentences, if there are any."""
        found = list(dict.fromkeys(self.sentences))
        if len(found) == 1:
            raise InputError(f"{self.where}{found[0]}")
        if found:
            lines = "".join(f"\n- {sentence}" for sentence in found)
            raise InputError(f"{self.where}{len(found)} faults:{lines}")


@contextmanager
def together() -> Iterator[Faults]:
    """Raise one `InputError` after a block, with a line for each of the faults that it keeps."""
    faults = Faults()
    yield faults
    if faults.sentences:
        raise InputError("\n".join(faults.sentences))
