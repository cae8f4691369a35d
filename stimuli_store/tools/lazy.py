"""Public names of a package: listed once, loaded when first used."""

import ast
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any


def lazy_names(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a package that loads its public names when first used.

    The names are those imported in the block ``if TYPE_CHECKING:`` of the package's ``__init__.py``: type
    checkers follow these imports, and at run time each is made when its name is asked for. An import of
    ``*`` stands for the public names of the other package.

    Raises
    ------
    AttributeError
        From `__getattr__`, if the package has no such name.

    Examples
    --------
    >>> load, _, names = lazy_names("stimuli_store")
    >>> "Bank" in names, load("Bank").__module__
    (True, 'stimuli_store.bank.reading')
    """
    module = sys.modules[package]
    homes = dict(_imports(Path(str(module.__file__)).read_text(encoding="utf-8")))

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}", name=name, obj=module
            )
        if homes[name] == package:
            return import_module(f"{package}.{name}")
        return getattr(import_module(homes[name]), name)

    return load, lambda: sorted(homes), sorted(homes)


def _imports(source: str) -> Iterator[tuple[str, str]]:
    """Yield name and module of every import in the block for type checkers."""
    for block in ast.parse(source).body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for line in block.body:
                assert isinstance(line, ast.ImportFrom)
                home = str(line.module)
                for name in [alias.name for alias in line.names]:
                    names = import_module(home).__all__ if name == "*" else [name]
                    yield from ((name, home) for name in names)
