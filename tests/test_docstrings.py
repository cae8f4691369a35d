"""Every public function and class says what its parameters are and what it raises, and shows an example."""

import importlib
import inspect
import re
from enum import Enum
from types import ModuleType
from typing import Any

import pytest

HOMES = [
    "stimsynth",
    "stimsynth.convergence",
    "stimsynth.images",
    "stimsynth.losses",
    "stimsynth.metrics",
    "stimsynth.models",
    "stimsynth.plots",
    "stimsynth.transforms",
    "stimsynth.validate",
]
SECTION = re.compile(r"^(\w[\w ]*)\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", re.MULTILINE | re.DOTALL)
BORROWED = re.compile(r"[Pp]arameters(?: and attributes)? are (?:those of|as for) `([\w.]+)`")


def public() -> dict[str, Any]:
    """Return every public function and class of all packages by its first full name."""
    found: dict[str, Any] = {}
    for home in HOMES:
        module = importlib.import_module(home)
        for name in module.__all__:
            thing = getattr(module, name)
            warning = isinstance(thing, type) and issubclass(thing, Warning)
            if callable(thing) and not warning and thing not in found.values():
                found[f"{home}.{name}"] = thing
    return found


def takes_no_parameters(thing: Any) -> bool:
    """Members of an enumeration and methods of a protocol speak for themselves; errors take a message."""
    kind = inspect.isclass(thing) and issubclass(thing, Enum | Exception)
    return kind or getattr(thing, "_is_protocol", False)


PUBLIC = public()
every = pytest.mark.parametrize("name", PUBLIC)
every_made = pytest.mark.parametrize(
    "name", [name for name, thing in PUBLIC.items() if not takes_no_parameters(thing)]
)


def sections(thing: Any) -> dict[str, str]:
    return dict(SECTION.findall(inspect.getdoc(thing) or ""))


def described(thing: Any) -> set[str]:
    """Return the names that head an entry under Parameters or Attributes, or are borrowed."""
    found = sections(thing)
    text = found.get("Parameters", "") + "\n" + found.get("Attributes", "")
    entries = [line for line in text.splitlines() if line and not line.startswith(" ")]
    names = {name.strip(" *") for line in entries for name in line.split(":")[0].split(",")}
    module: ModuleType = importlib.import_module(thing.__module__)
    for other in BORROWED.findall(inspect.getdoc(thing) or ""):
        names |= described(getattr(module, other))
    return names


@every_made
def test_every_parameter_is_described(name: str) -> None:
    thing = PUBLIC[name]
    parameters = inspect.signature(thing).parameters.values()
    asked = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
    assert asked - described(thing) == set()
    if not BORROWED.search(inspect.getdoc(thing) or "") and inspect.isfunction(thing):
        assert described(thing) <= {p.name for p in parameters}  # none that is no more


@every
def test_there_is_an_example(name: str) -> None:
    """They are run: pytest collects doctests."""
    assert ">>> " in sections(PUBLIC[name]).get("Examples", "")


def is_dataclass_made(function: Any) -> bool:
    return function.__code__.co_filename == "<string>"


@every_made
def test_errors_are_named(name: str) -> None:
    """Of what a function, or a class when it is made, raises in its own lines."""
    thing = PUBLIC[name]
    if inspect.isclass(thing):
        own = [thing.__dict__.get(method) for method in ("__init__", "__post_init__")]
        source = "".join(inspect.getsource(f) for f in own if f and not is_dataclass_made(f))
    else:
        source = inspect.getsource(thing)
    if re.search(r"^ +raise ", source, re.MULTILINE):
        assert "Raises" in sections(thing)


@every
def test_the_first_line_is_a_phrase(name: str) -> None:
    first = (inspect.getdoc(PUBLIC[name]) or "").splitlines()[0]
    assert first.endswith(".")
    assert len(first) > 20
