"""Results that show themselves: facts in a line for a prompt, facts and pictures for a notebook."""

from collections.abc import Iterable
from dataclasses import fields
from enum import Enum
from typing import TypeVar

from stimuli_store.tools import html

_MOST = 240  # characters of a line
_LISTED = 6  # values of a field
_SHOWN = 2  # items of a tuple in a notebook
_LEAST_P = 0.001  # below this a p-value is given as a bound
_P_VALUES = ("p", "p_value", "p_holm")

_Item = TypeVar("_Item")


class FactSheet:
    """Base of results that show themselves by their facts.

    Examples
    --------
    >>> class Pair(FactSheet):
    ...     def _facts(self):
    ...         return [("first", 1), ("second", "")]
    >>> Pair()
    Pair(first: 1)
    >>> Pair()._repr_html_().startswith("<div><b>Pair</b>")
    True
    """

    def _facts(self) -> Iterable[tuple[str, object]]:
        """Return the facts, each with its name, the most telling first; empty ones are not shown."""
        raise NotImplementedError

    def _pictures(self) -> str:
        """Return finished HTML that a notebook shows below the facts."""
        return ""

    def _told(self) -> list[tuple[str, str]]:
        return [(what, str(said)) for what, said in self._facts() if str(said)]

    def __repr__(self) -> str:
        line = "; ".join(f"{what}: {said}" for what, said in self._told())
        return f"{type(self).__name__}({line[:_MOST] + ('…' if len(line) > _MOST else '')})"

    def _repr_html_(self) -> str:
        facts = html.table((), self._told())
        return f"<div><b>{type(self).__name__}</b>{facts}{self._pictures()}</div>"


def size_of(shape: Iterable[int]) -> str:
    """Return the words for the shape of an image or a batch.

    Examples
    --------
    >>> size_of((2, 1, 8, 8))
    '2 × 1 × 8 × 8'
    """
    return " × ".join(map(str, shape))


def number_of(number: int, name: str) -> str:
    """Return a number with the singular or the plural of a noun.

    Examples
    --------
    >>> number_of(1, "trial"), number_of(3, "trial")
    ('1 trial', '3 trials')
    """
    return f"{number} {name}{'' if number == 1 else 's'}"


def p_text(p: float, n_draws: int = 0) -> str:
    """Return a p-value as it stands in a table: a number, or a bound; "" where it is not defined.

    Parameters
    ----------
    p
        The p-value, NaN where there is none.
    n_draws
        Number of simulations behind it; 0 (default) for a test without any. The least p that so many can
        give, 1/(n_draws + 1), is a bound.

    Examples
    --------
    >>> p_text(0.0312), p_text(0.0), p_text(0.25, 399), p_text(1 / 400, 399)
    ('0.031', '< 0.001', '0.25', '≤ 0.0025')
    """
    if p != p:
        return ""
    if n_draws and p * (n_draws + 1) < 1.5:
        return f"≤ {1 / (n_draws + 1):.2g}"
    return f"{p:.2g}" if p >= _LEAST_P else f"< {_LEAST_P:g}"


def p_value(p: float, n_draws: int = 0) -> str:
    """Return a p-value as it stands in a sentence (`p_text`).

    Examples
    --------
    >>> p_value(0.0312), p_value(0.0001), p_value(1 / 400, 399)
    ('p = 0.031', 'p < 0.001', 'p ≤ 0.0025')
    """
    said = p_text(p, n_draws)
    return f"p {said}" if said[:1] in "<≤" else f"p = {said}"


class ShownTuple(tuple[_Item, ...]):
    """A tuple of results: a line at a prompt, the first ones as they show themselves in a notebook.

    Examples
    --------
    >>> ShownTuple([2.5, 3.5])
    2 × float, the first: 2.5
    """

    def __repr__(self) -> str:
        if not self:
            return "()"
        line = f"{len(self)} × {type(self[0]).__name__}, the first: {self[0]!r}"
        return line[:_MOST] + ("…" if len(line) > _MOST else "")

    def _repr_html_(self) -> str:
        shown = "".join(_page_of(item) for item in self[:_SHOWN])
        rest = len(self) - _SHOWN
        return shown + (html.paragraph(f"and {rest} more") if rest > 0 else "")


class ShownGroups(dict[str, tuple[_Item, ...]]):
    """Tuples of records by name: the first names at a prompt, a table of sizes in a notebook.

    Examples
    --------
    >>> ShownGroups({"a": (1, 2), "b": (3,)})
    2 groups of 3 records: 'a' (2), 'b' (1)
    """

    def __repr__(self) -> str:
        total = sum(map(len, self.values()))
        sizes = ", ".join(f"{name!r} ({len(group)})" for name, group in self.items())
        line = f"{number_of(len(self), 'group')} of {number_of(total, 'record')}: {sizes}"
        return line[:_MOST] + ("…" if len(line) > _MOST else "")

    def _repr_html_(self) -> str:
        return html.table(("name", "records"), ((name, len(group)) for name, group in self.items()))


class FieldTable:
    """Base of small records: a notebook shows their fields that are numbers and words.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Share(FieldTable):
    ...     share: float
    ...     rest: object = None
    >>> ">share</td>" in Share(1 / 3)._repr_html_(), ">0.3333</td>" in Share(1 / 3)._repr_html_()
    (True, True)
    """

    def _repr_html_(self) -> str:
        named = ((field.name, getattr(self, field.name)) for field in fields(self))  # type: ignore[arg-type]
        rows = [(name.replace("_", " "), _named(name, value)) for name, value in named]
        facts = html.table((), [(name, said) for name, said in rows if said])
        return f"<div><b>{type(self).__name__}</b>{facts}</div>"


def _page_of(item: object) -> str:
    made = getattr(item, "_repr_html_", None)
    return made() if made else html.paragraph(repr(item))


def _named(name: str, value: object) -> str:
    return p_text(value) if name in _P_VALUES and isinstance(value, float) else _short(value)


def _short(value: object) -> str:
    """Return a value as a few words; "" if it is no number, no word and no short list of them."""
    match value:
        case Enum():
            return value.name
        case bool() | int() | str():
            return str(value)
        case float():
            return f"{value:.4g}"
        case tuple() if len(value) <= _LISTED and all(map(_short, value)):
            return ", ".join(map(_short, value))
    return ""
