"""Public names of a package: listed once, loaded when first used; misspelt ones get the nearest."""

import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from stimuli_store.errors import MissingExtra, installation

_EXTRAS = {
    "torch": "synth",
    "pyrtools": "synth",
    "PIL": "synth",
    "psychopy": "booth",
    "questplus": "booth",
    "pandas": "analysis",
    "matplotlib": "analysis",
    "numpyro": "bayes",
}


def lazy_names(
    package: str, elsewhere: Callable[[str], Any] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a package that loads its public names when first used.

    The names are those imported in the block ``if TYPE_CHECKING:`` of the package's ``__init__.py``: type
    checkers follow these imports, and at run time each is made when its name is asked for. An import of
    ``*`` stands for the names in the block of the other package, which is read and not imported.

    Parameters
    ----------
    package
        Its ``__name__``.
    elsewhere
        Called with a name that the package lacks. It returns what is there in its place, or raises an
        AttributeError that tells where the name went, or a LookupError if it knows nothing of it.

    Raises
    ------
    AttributeError
        From `__getattr__`, if the package has no such name; it suggests the nearest one.
    MissingExtra
        From `__getattr__`, if the name needs a package that this machine lacks.

    Examples
    --------
    >>> load, _, names = lazy_names("stimuli_store")
    >>> "Bank" in names, load("Bank").__module__
    (True, 'stimuli_store.bank.reading')
    >>> load("Bnak")
    Traceback (most recent call last):
        ...
    AttributeError: module 'stimuli_store' has no attribute 'Bnak'; did you mean 'Bank'?
    """
    file = Path(str(sys.modules[package].__file__))
    root = file.parents[package.count(".") + 1]
    homes = dict(_imports(file, root))

    def load(name: str) -> Any:
        if name in homes:
            return _loaded(name, homes[name], package)
        if elsewhere is not None:
            with suppress(LookupError):
                return elsewhere(name)
        raise _unknown(package, name, list(homes))

    return load, lambda: sorted(homes), sorted(homes)


def _loaded(name: str, home: str, package: str) -> Any:
    try:
        if home == package:
            return import_module(f"{package}.{name}")
        return getattr(import_module(home), name)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(str(error.name).partition(".")[0])
        if extra is None:
            raise
        raise MissingExtra(
            f"{name} needs {error.name}, which this machine lacks; {installation(extra)}"
        ) from error


def _unknown(package: str, name: str, known: list[str]) -> AttributeError:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    # Without an object: Python would look through its names too, and suggest the same once more.
    return AttributeError(
        f"module {package!r} has no attribute {name!r}{hint}", name=name, obj=None
    )


def _imports(file: Path, root: Path) -> Iterator[tuple[str, str]]:
    """Yield name and module of every import in the block for type checkers of a package below `root`."""
    for block in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for line in block.body:
                assert isinstance(line, ast.ImportFrom)
                home = str(line.module)
                for name in [alias.name for alias in line.names]:
                    if name == "*":
                        yield from _imports(root.joinpath(*home.split("."), "__init__.py"), root)
                    else:
                        yield name, home
