"""The four packages find each other, also where a laboratory has folders of the same names.

`analysis` and `experiments` are common names of folders. Python takes a folder beside the script or the
notebook before an installed package, so ``from stimsynth import fit`` would look for `fit` in the files of
the laboratory. Only the standard library is used here, since this comes before everything else.
"""

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

OUR_NAMES = ("stimsynth", "stimuli_store", "experiments", "analysis")
HOME = Path(__file__).resolve().parents[2]


class OwnPackages:
    """Finder of these packages; a folder of the same name lends the files that ours lack."""

    home = HOME

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where one of these packages is; None for every other module."""
        if path is not None or name not in OUR_NAMES:
            return None
        spec = PathFinder.find_spec(name, [str(HOME)])
        if spec is not None and spec.submodule_search_locations is not None:
            spec.submodule_search_locations.extend(str(p) for p in _others(name) if p.is_dir())
        return spec


class NearestNames:
    """Finder that tells what ``from stimsynth import …`` may have meant.

    Python asks the finders for a module when a package has no such attribute, and then forgets the words
    with which the package refused.
    """

    home = HOME

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module that a package gives for a name, though there is no file of it; else None.

        Raises
        ------
        ImportError
            With the words of the package that has no such name.
        """
        package, _, last = name.rpartition(".")
        parent = sys.modules.get(package)
        if package.partition(".")[0] not in OUR_NAMES or last.startswith("_"):
            return None
        if not hasattr(type(parent), "__getattr__") and "__getattr__" not in vars(parent):
            return None
        try:
            found = getattr(parent, last)
        except AttributeError as error:
            raise ImportError(str(error), name=name) from None
        if not isinstance(found, ModuleType):
            return None
        return spec_from_loader(name, _Given(found))  # type: ignore[arg-type]


class _Given:
    """Loader of a module that is there already."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module has its contents."""


def find_own_packages() -> None:
    """Let Python find these packages before others of their names, and warn once if there are others."""
    if any(getattr(finder, "home", None) == HOME for finder in sys.meta_path):
        return
    others = [place for name in OUR_NAMES for place in _others(name)]
    for name in OUR_NAMES:
        _share(name)
    sys.meta_path.insert(0, OwnPackages())
    sys.meta_path.append(NearestNames())
    if others:
        warnings.warn_explicit(_sentence(others), UserWarning, *_importing_line())


def _others(name: str) -> list[Path]:
    """Return folders and files, not ours, that Python would take for a package of ours."""
    entries = [Path(entry).resolve() for entry in sys.path]
    before = entries[: entries.index(HOME)] if HOME in entries else entries
    specs = [PathFinder.find_spec(name, [str(entry)]) for entry in before]
    if name in sys.modules:
        specs.append(sys.modules[name].__spec__)
    places = (place for spec in specs if spec is not None for place in _places(spec))
    return list(dict.fromkeys(place for place in places if place != HOME / name))


def _places(spec: ModuleSpec) -> Iterator[Path]:
    for place in spec.submodule_search_locations or [str(spec.origin)]:
        yield Path(place).resolve()


def _share(name: str) -> None:
    """Let another package of the name, which is loaded already, find our modules before its own."""
    module = sys.modules.get(name)
    ours = HOME / name
    if module is None or module.__spec__ is None or ours in _places(module.__spec__):
        return
    module.__path__ = [str(ours), *getattr(module, "__path__", ())]
    taken = {path.stem for path in ours.iterdir()}
    for loaded in [key for key in sys.modules if key.startswith(f"{name}.")]:
        if loaded.split(".")[1] in taken:
            del sys.modules[loaded]


def _importing_line() -> tuple[str, int]:
    """Return file and line of the import that brought the first of these packages."""
    frame = sys._getframe(1)
    own = tuple(f"{HOME / name}{os.sep}" for name in OUR_NAMES)
    while frame.f_back is not None:
        file = frame.f_code.co_filename
        if not file.startswith((*own, "<frozen importlib")):
            break
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _sentence(others: Sequence[Path]) -> str:
    places = " and ".join(map(str, others))
    have = "has the name of a package" if len(others) == 1 else "have names of packages"
    return (
        f"{places} {have} of stimsynth, which finds its own all the same; rename yours (to "
        f"my_{others[0].stem}, say), and take names of stimsynth from the front door: from stimsynth import …"
    )
