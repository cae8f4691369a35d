"""Helpers that return pieces of HTML with all text escaped."""

import base64
from collections.abc import Iterable, Sequence
from html import escape

_TO_THE_LEFT = 'style="text-align:left"'  # notebooks align cells to the right, which is for numbers


def text(value: object) -> str:
    """Return `value` as text with HTML's special characters escaped.

    Examples
    --------
    >>> text("<b>")
    '&lt;b&gt;'
    """
    return escape(str(value), quote=True)


def paragraph(value: object, kind: str = "") -> str:
    """Return an HTML paragraph of escaped text; `kind` is its CSS class."""
    return f'<p class="{kind}">{text(value)}</p>' if kind else f"<p>{text(value)}</p>"


def code(value: object) -> str:
    """Return `value` as an escaped HTML code element."""
    return f"<code>{text(value)}</code>"


def section(title: str, *parts: str) -> str:
    """Return an HTML section: an escaped title, then finished pieces of HTML."""
    return f"<section><h2>{text(title)}</h2>{''.join(parts)}</section>"


def folded(title: str, content: str) -> str:
    """Return finished HTML in a details element that opens when its title is clicked."""
    return f"<details><summary>{text(title)}</summary>{content}</details>"


def table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Return an HTML table of escaped cells; without `head` it is a list of facts, aligned to the left."""
    cell = "td" if head else f"td {_TO_THE_LEFT}"
    lines = "".join(f"<tr>{''.join(_cell(cell, value) for value in row)}</tr>" for row in rows)
    names = "".join(_cell("th", name) for name in head)
    top = f"<thead><tr>{names}</tr></thead>" if head else ""
    return f'<div class="scroll"><table>{top}<tbody>{lines}</tbody></table></div>'


def _cell(tag: str, value: object) -> str:
    return f"<{tag}>{text(value)}</{tag.split()[0]}>"


def cards(items: Iterable[tuple[str, str, Sequence[tuple[str, str]], str]]) -> str:
    """Return an HTML row of cards: (label, value, notes with their CSS classes, CSS class) each."""
    made = (
        f'<div class="card {kind}"><span>{text(label)}</span><b>{text(value)}</b>'
        + "".join(f'<span class="note {look}">{text(note)}</span>' for note, look in notes)
        + "</div>"
        for label, value, notes, kind in items
    )
    return f'<div class="cards">{"".join(made)}</div>'


def picture(png: bytes, description: str, width_px: int) -> str:
    """Return an HTML image element with the PNG data inside it and `description` as its alt text."""
    data = base64.b64encode(png).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{text(description)}" width="{width_px}">'


def page(title: str, *parts: str, style: str = "") -> str:
    """Return a complete HTML page of finished pieces, with its style sheet and no scripts."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{text(title)}</title><style>{style}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )
