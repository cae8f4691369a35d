"""What every synthesis class does to be saved and loaded."""

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from stimsynth.methods.base.saving import LoadChecks, load_synthesis, save_synthesis
from stimuli_store.errors import InputError


class SavableSynthesis(ABC):
    """A synthesis that can be written to a file and become what was written.

    A file has four parts. *Settings* and *functions* must agree with the object that loads it; functions are
    told apart by what they return, since a file holds no code. *Origins*, such as the seed, and *content*,
    what was found so far, belong to the file alone. The object takes over all but the functions.
    """

    #: Name in the file to attribute, of what a file and the object that loads it share.
    _shared: ClassVar[dict[str, str]] = {}
    #: The same, of what may differ: with another seed or start it is still the same synthesis.
    _origins: ClassVar[dict[str, str]] = {"seed": "_seed"}
    _seed: Any = None

    @property
    def seed(self) -> int | None:
        """Seed of all that was drawn at random; None where nothing is."""
        return self._seed

    @abstractmethod
    def _content(self) -> Any:
        """Return what was found so far: nested tensors, numbers and text."""

    @abstractmethod
    def _restore(self, content: Any, path: Path) -> None:
        """Become what `content` of the file `path` was made of; files that it names may lie beside it."""

    @abstractmethod
    def _begun(self) -> bool:
        """Return whether there is something already that a file would overwrite."""

    def _functions(self) -> dict[str, Any]:
        """Return what tells the functions apart (see `stimsynth.methods.base.fingerprints`)."""
        return {}

    def _derive(self) -> None:  # noqa: B027  (most have nothing to do)
        """Make anew what follows from settings and functions, once settings come from a file."""

    def save(self, file_path: str | os.PathLike[str]) -> None:
        """Write everything but models, metrics, losses and penalties to a file, as tensors and JSON.

        Parameters
        ----------
        file_path
            Where; an earlier file of this name is replaced in one step, once this one was read back.

        Raises
        ------
        InputError
            If the folder is not there, or this is the progress file.
        ArchiveError
            If the file cannot be written, or is not on the disk what it should be.
        """
        save_synthesis(file_path, type(self).__name__, self._tree())

    def _tree(self) -> dict[str, Any]:
        return {
            **self._compared(),
            "origins": {name: getattr(self, place) for name, place in self._origins.items()},
            "content": self._content(),
        }

    def _compared(self) -> dict[str, dict[str, Any]]:
        settings = {name: getattr(self, place) for name, place in self._shared.items()}
        return {"settings": settings, "functions": self._functions()}

    def load(
        self,
        file_path: str | os.PathLike[str],
        map_location: Any = None,
        *,
        raise_on_checks: bool = True,
        tensor_equality_atol: float = 1e-8,
        tensor_equality_rtol: float = 1e-5,
    ) -> None:
        """Become what was saved, to look at it or to go on: images, start, seed and all settings.

        A progress file of `synthesize` can be loaded too, also one that a killed process left: the run then
        stands at its last iterate, and the method begins anew there.

        Iterates in a progress file are looked for where it was, and beside this file. If they are in neither
        place, all else is loaded, with a `LoadWarning`.

        A run with a torch optimizer goes on with it, unless the file cannot make it again (a class that is
        not in `torch.optim`, or any with a scheduler): then the next call of `synthesize` takes the optimizer
        and the scheduler that it began with, and they continue where they were.

        Parameters
        ----------
        file_path
            What `save` wrote, or a progress file.
        map_location
            Device for all tensors; None for the one that they were saved from.
        raise_on_checks
            Raise an error if the file was saved from other images, models, functions or settings. False to
            become what was saved nevertheless, with a `LoadWarning` for each of them; only models and
            functions stay those of this object, as a file holds none.
        tensor_equality_atol, tensor_equality_rtol
            When tensors count as equal, as in `torch.allclose`.

        Raises
        ------
        ArchiveError
            (a ValueError) if there is no such file, it is damaged, or of another class.
        InputError
            (a ValueError) if the file does not fit this object (always if a precision, a device or the
            number of penalties differs), or this object was used already.
        """
        if self._begun():
            raise InputError(
                "load takes an object that was just made; synthesize was called on this one"
            )
        checks = LoadChecks(
            raise_on_checks=raise_on_checks, atol=tensor_equality_atol, rtol=tensor_equality_rtol
        )
        kinds = [kind.__name__ for kind in type(self).__mro__]
        tree = load_synthesis(file_path, kinds, self._compared(), map_location, checks)
        before = dict(vars(self))
        try:
            for part, places in (("settings", self._shared), ("origins", self._origins)):
                vars(self).update({place: tree[part][name] for name, place in places.items()})
            self._restore(tree["content"], Path(file_path))
            self._derive()
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise
