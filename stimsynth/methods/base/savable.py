"""Base class with saving and loading for all synthesis classes."""

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from stimsynth.methods.base.saving import LoadChecks, load_synthesis, save_synthesis
from stimuli_store.errors import InputError


class SavableSynthesis(ABC):
    """Base class of syntheses that can be saved to a file and loaded from it.

    A file has four parts: settings, functions, origins and content. *Settings* and *functions* must agree
    with the object that loads the file. A file holds no code, so functions are compared by the values that
    they return. *Origins* (such as the seed) and *content* (the results so far) need not agree. The object
    takes over everything from the file except the functions.
    """

    #: Settings: name in the file to attribute. A file and the object that loads it must agree on them.
    _shared: ClassVar[dict[str, str]] = {}
    #: Origins: name in the file to attribute. They may differ, such as the seed or the start.
    _origins: ClassVar[dict[str, str]] = {"seed": "_seed"}
    _seed: Any = None

    @property
    def seed(self) -> int | None:
        """Seed of all random draws; None if there are none."""
        return self._seed

    @abstractmethod
    def _content(self) -> Any:
        """Return the results so far as nested tensors, numbers and text."""

    @abstractmethod
    def _restore(self, content: Any, path: Path) -> None:
        """Replace the results by `content` of the file `path`; files that it names may lie in its folder."""

    @abstractmethod
    def _begun(self) -> bool:
        """Return whether there are results that loading would overwrite."""

    def _functions(self) -> dict[str, Any]:
        """Return fingerprints of the functions by name, to compare with those in a file."""
        return {}

    def _derive(self) -> None:  # noqa: B027  (most have nothing to do)
        """Recompute what depends on settings and functions, after settings came from a file."""

    def save(self, file_path: str | os.PathLike[str]) -> None:
        """Write everything except models, metrics, losses and penalties to a file, as tensors and JSON.

        Parameters
        ----------
        file_path
            Path of the file. An existing file is replaced in one step, after the new one was read back.

        Raises
        ------
        InputError
            If the folder does not exist, or the path is the progress file.
        ArchiveError
            If the file cannot be written, or reads back differently.
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
        """Load images, start, seed, settings and results from a file, to continue or inspect them.

        A progress file of `synthesize` can be loaded too, also one that a killed process left. The run then
        continues from its last iterate, with a new start of the method.

        A progress file is looked for at its old path, and in the folder of this file. If it is in neither
        place, everything else is loaded, with a `LoadWarning`.

        A run with a torch optimizer continues with it, if the file can make the optimizer again. It cannot
        for a class outside `torch.optim`, or for any optimizer with a scheduler. Then give the optimizer and
        the scheduler of the first call to the next call of `synthesize`; they keep their saved state.

        Parameters
        ----------
        file_path
            A file that `save` wrote, or a progress file.
        map_location
            Device for all tensors; None for the device from which they were saved.
        raise_on_checks
            Whether to raise an error if the file was saved with other images, models, functions or settings.
            If False, each difference gives a `LoadWarning`, and the values of the file are used. Models and
            functions always remain this object's own, as a file holds none.
        tensor_equality_atol, tensor_equality_rtol
            Tolerances within which tensors count as equal, as in `torch.allclose`.

        Raises
        ------
        ArchiveError
            (a ValueError) if the file does not exist, is damaged, or is of another class.
        InputError
            (a ValueError) if the file does not fit this object (always if a precision, a device or the
            number of penalties differs), or `synthesize` was called on this object before.
        """
        if self._begun():
            raise InputError(
                "load needs a new object, and synthesize was called on this one; make another with the same "
                "arguments and load into that"
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
