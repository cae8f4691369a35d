"""A contact sheet: small pictures of the stimuli of a bank, set by set and level by level."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError, missing_extra
from stimuli_store.records.stimulus import StimulusRecord
from stimuli_store.tools.whole import whole

SIDE = 128  # longest side of a small picture
_GAP, _TEXT, _MOST = 8, 14, 1000
_PAPER, _INK = 255, 0


def contact_sheet(bank: Bank, names: Sequence[str] = (), *, columns: int = 8) -> np.ndarray:
    """Return a picture, uint8 (H, W, 3), with the frames of sets: targets first, then members by level.

    Parameters
    ----------
    bank
        The bank.
    names
        Labels of sets; all for none.
    columns
        Most pictures side by side; a set with more pictures continues in the next row. The sheet is as wide
        as its longest row or label.

    Raises
    ------
    InputError
        If there is no such set, nothing to show, or there are over 1000 pictures.
    MissingExtra
        If Pillow is not installed.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> sheet = contact_sheet(bank, columns=8)
    >>> sheet.ndim, sheet.dtype.name
    (3, 'uint8')
    """
    columns = whole(columns, "columns", 1)
    image_draw, image = _pillow()
    rows = [row for label in names or bank.sets for row in sheet_rows(bank, label, columns)]
    count = sum(len(records) for _, records in rows)
    if not 0 < count <= _MOST:
        raise InputError(
            f"a contact sheet can show 1 to {_MOST} pictures; not {count}: name the sets to show"
        )
    wide = max(len(records) for _, records in rows) * (SIDE + _GAP) + _GAP
    measured = image_draw.Draw(image.new("RGB", (1, 1)))
    wide = max(wide, *(math.ceil(measured.textlength(title)) + 2 * _GAP for title, _ in rows))
    cell = SIDE + _TEXT + _GAP
    height = sum(cell + (_TEXT if title else 0) for title, _ in rows) + _GAP
    sheet = image.new("RGB", (wide, height), (_PAPER,) * 3)
    draw = image_draw.Draw(sheet)
    top = _GAP
    for title, records in rows:
        if title:
            draw.text((_GAP, top), title, fill=(_INK,) * 3)
            top += _TEXT
        for column, record in enumerate(records):
            left = _GAP + column * (SIDE + _GAP)
            sheet.paste(_small(bank, record, image), (left, top))
            draw.text((left, top + SIDE), _fitted(caption_of(record), draw), fill=(_INK,) * 3)
        top += cell
    return np.asarray(sheet)


def sheet_rows(bank: Bank, label: str, columns: int) -> list[tuple[str, list[StimulusRecord]]]:
    """Return rows of the sheet for a set: (title, records), with the set's label as title of the first.

    Targets come first, then members by role and level; a row has at most `columns` records.
    """
    members = [record for record in bank.select(label) if record.certificate.frame_sha256]
    members.sort(key=_by_level)
    targets = dict.fromkeys(target for record in members for target in record.targets)
    shown = [bank.references[sha] for sha in targets if sha in bank.references] + members
    shown = list({record.sha256: record for record in shown}.values())
    parts = [shown[start : start + columns] for start in range(0, len(shown), columns)]
    return [(label if number == 0 else "", part) for number, part in enumerate(parts)]


def _by_level(record: StimulusRecord) -> tuple[str, float, str]:
    value = record.level.value if record.level else ""
    number = 0.0 if isinstance(value, str) else value
    return record.role, number, value if isinstance(value, str) else ""


def caption_of(record: StimulusRecord) -> str:
    """Return the caption of a stimulus, which differs from the others of its set."""
    shown = record.name.removeprefix(record.set).lstrip("/")
    return record.name if record.spec is None else shown or record.kind


def _fitted(text: str, draw: Any) -> str:
    while text and draw.textlength(text) > SIDE:
        text = text[:-2] + "…" if len(text) > 2 else ""
    return text


def _small(bank: Bank, record: StimulusRecord, image: Any) -> Any:
    picture = image.fromarray(bank.frame(record.sha256).pixels).convert("RGB")
    scale = SIDE / max(picture.size)
    size = tuple(max(1, round(side * scale)) for side in picture.size)
    kind = image.Resampling.BOX if scale < 1 else image.Resampling.NEAREST
    return picture.resize(size, kind)


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise missing_extra("a contact sheet needs Pillow", "synth") from error
    return ImageDraw, Image
