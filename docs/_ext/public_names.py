"""The reference: ``.. public-names:: package`` documents every public name of a package.

The names are those of the package's ``__all__``, so none can be missing. An object that several packages
give is described once, in the first of `HOMES` that has it; the others link to it.
"""

import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

HOMES = (
    "stimsynth.models",
    "stimsynth.metrics",
    "stimsynth.losses",
    "stimsynth.images",
    "stimsynth.transforms",
    "stimsynth.validate",
    "stimsynth.convergence",
    "stimsynth.plots",
    "analysis.plots",
    "analysis",
    "experiments",
    "stimuli_store",
    "stimsynth",
)
OURS = ("stimsynth.", "analysis.", "experiments.", "stimuli_store.")
# Methods of classes that are not ours are described where these classes are.
NOT_OURS = (
    "Module, object, Generic, ABC, tuple, dict, str, Enum, StrEnum, Exception, UserWarning, Mapping"
)


class PublicNames(Directive):
    """A table of a package's public names, then the description of each."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the section in reStructuredText and parse it."""
        home = self.arguments[0]
        source = StringList(list(_lines(home)), source=f"public names of {home}")
        container = nodes.section()
        container.document = self.state.document
        self.state.nested_parse(source, self.content_offset, container, match_titles=True)
        return container.children


def _lines(home: str) -> Iterator[str]:
    """Yield the lines of a package's reference."""
    own, elsewhere, modules = _sorted_names(home)
    yield from (f".. currentmodule:: {home}", "", ".. autosummary::", "   :nosignatures:", "")
    yield from (f"   {name}" for name in own)
    yield ""
    if elsewhere:
        yield "Also found here, and described in their own places:"
        yield ", ".join(f":py:obj:`{name} <{place}>`" for name, place in elsewhere) + "."
        yield ""
    if modules:
        yield "Packages: " + ", ".join(f"`{home}.{name}`" for name in modules) + "."
        yield ""
    for name in own:
        yield from _description(home, name)


def _description(home: str, name: str) -> Iterator[str]:
    thing = getattr(importlib.import_module(home), name)
    if inspect.isclass(thing):
        yield f".. autoclass:: {home}.{name}"
        yield from (
            "   :members:",
            f"   :inherited-members: {NOT_OURS}",
            "   :show-inheritance:",
            "",
        )
    elif callable(thing):
        yield from (f".. autofunction:: {home}.{name}", "")
    else:
        yield from (f".. autodata:: {home}.{name}", "   :no-value:", "")


def _sorted_names(home: str) -> tuple[list[str], list[tuple[str, str]], list[str]]:
    """Return the names described here, those described elsewhere with their places, and modules."""
    module, places = importlib.import_module(home), described()
    own, elsewhere, modules = [], [], []
    for name in sorted(module.__all__, key=str.lower):
        thing = getattr(module, name)
        if isinstance(thing, ModuleType):
            modules.append(name)
        elif places[id(thing)] == f"{home}.{name}":
            own.append(name)
        else:
            elsewhere.append((name, places[id(thing)]))
    return own, elsewhere, modules


@cache
def described() -> dict[int, str]:
    """Return the full name under which each public object is described, by its identity."""
    found: dict[int, str] = {}
    for home in HOMES:
        module: Any = importlib.import_module(home)
        for name in module.__all__:
            found.setdefault(id(getattr(module, name)), f"{home}.{name}")
    return found


def _found_elsewhere(app: Sphinx, env: Any, node: Any, contnode: nodes.Node) -> nodes.Node | None:
    """Return a link to a public object from the name of the file that makes it.

    An inner name of ours that is not public is shown without a link; one that is not there is no name,
    and stays a warning.
    """
    if node.get("refdomain") != "py":
        return None
    thing = _object(node["reftarget"])
    place = described().get(id(thing))
    if place is not None:
        domain, here = env.get_domain("py"), node.get("refdoc", env.docname)
        link = domain.resolve_xref(env, here, app.builder, "obj", place, node, contnode)
        if link is not None:
            return link
    return contnode if thing is not None else None


def _object(name: str) -> Any:
    """Return what a full name of ours names, or None."""
    if not name.startswith(OURS):
        return None
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            thing = getattr(thing, part, None)
        return thing
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("public-names", PublicNames)
    app.connect("missing-reference", _found_elsewhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
