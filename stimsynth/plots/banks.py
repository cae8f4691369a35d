"""Figure of the stimuli of a bank."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stimsynth.plots.checks import check_kind
from stimsynth.plots.gates import list_of_names
from stimsynth.plots.panels import Panel, panel_figure
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError
from stimuli_store.pictures.contact_sheet import caption_of, sheet_rows
from stimuli_store.records.stimulus import StimulusRecord
from stimuli_store.tools.gates import takes
from stimuli_store.tools.whole import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 400  # pictures


@takes(names=list_of_names())
def display_bank(
    bank: Bank, names: Sequence[str] = (), *, columns: int = 8, side_px: int = 128
) -> "Figure":
    """Draw the frames of a bank, set by set: targets first, then members by role and level.

    Frames larger than `side_px` are reduced by averaging blocks of pixels, smaller ones are enlarged by a
    whole number.

    Parameters
    ----------
    bank
        The bank.
    names
        Labels of sets; all for none.
    columns
        Number of pictures side by side; a set with more continues in the next row.
    side_px
        Largest side of a picture in display pixels.

    Returns
    -------
    Figure
        The figure; a notebook shows it.

    Raises
    ------
    InputError
        If there is no such set, nothing to show, or there are over 400 pictures.
    MissingExtra
        If matplotlib is not installed.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> figure = display_bank(bank)
    >>> len(figure.axes) > 1
    True
    """
    check_kind(bank, ("sets", "frame"), "bank")
    columns, side_px = whole(columns, "columns", 1), whole(side_px, "side_px", 8)
    rows = [row for label in names or bank.sets for row in sheet_rows(bank, label, columns)]
    count = sum(len(records) for _, records in rows)
    if not 0 < count <= _MOST:
        raise InputError(
            f"a figure can show 1 to {_MOST} pictures; not {count}: name the sets to show"
        )
    return panel_figure(
        [
            [
                _panel(bank, record, f"{label}\n" if label and number == 0 else "", side_px)
                for number, record in enumerate(records)
            ]
            for label, records in rows
        ]
    )


def _panel(bank: Bank, record: StimulusRecord, above: str, side_px: int) -> Panel:
    pixels = np.asarray(bank.frame(record.sha256).pixels, dtype=np.float64)
    side = max(pixels.shape[:2])
    factor = -(-side // side_px)
    shown = block_means(pixels, factor) if factor > 1 else pixels
    title = above + caption_of(record)
    zoom = float(max(1, side_px // side))
    return Panel(pixels=shown, title=title, shown=(0.0, 255.0), zoom=zoom)


def block_means(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Return an image reduced by a whole number; what exceeds whole blocks is left out.

    Examples
    --------
    >>> block_means(np.array([[0.0, 2.0, 9.0], [4.0, 6.0, 9.0]]), 2).tolist()
    [[3.0]]
    """
    high, wide = (n // factor * factor for n in pixels.shape[:2])
    blocks = pixels[:high, :wide].reshape(
        high // factor, factor, wide // factor, factor, *pixels.shape[2:]
    )
    return blocks.mean(axis=(1, 3))
