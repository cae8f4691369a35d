"""Picture and facts of a bank, for a notebook."""

from collections import Counter
from itertools import accumulate

from stimuli_store.bank.reading import Bank
from stimuli_store.errors import MissingExtra
from stimuli_store.pictures.contact_sheet import contact_sheet
from stimuli_store.pictures.encoding import png_bytes
from stimuli_store.tools import html

_MOST = 24  # stimuli in the picture


def bank_in_html(bank: Bank) -> str:
    """Return HTML with the facts of a bank and a contact sheet of its first sets.

    Without Pillow there are the facts alone.
    """
    counts = Counter(record.kind for record in bank.records)
    facts = [
        ("bank", bank.pin),
        ("stimuli", ", ".join(f"{number} {kind}" for kind, number in counts.items())),
        ("sets", len(bank.sets)),
        ("models", ", ".join(bank.model_labels) or "none"),
    ]
    return f"<div>{html.table((), facts)}{_sheet(bank)}</div>"


def _sheet(bank: Bank) -> str:
    up_to = accumulate(map(len, bank.sets.values()))
    first = list(bank.sets)[:1]
    shown = [label for label, n in zip(bank.sets, up_to, strict=True) if n <= _MOST] or first
    members = [record for label in shown for record in bank.sets[label]]
    if not any(record.certificate.frame_sha256 for record in members):
        return ""
    try:
        picture = contact_sheet(bank, shown)
    except MissingExtra:
        return ""
    return html.picture(png_bytes(picture), f"stimuli of {len(shown)} sets", picture.shape[1])
