"""Names of levels with their units, for axes, tables and prompts."""

_LABELS = {
    "": "level",
    "window_px": "window size (pixels)",
    "px": "size (pixels)",
    "deg": "size (degrees)",
}
_LONG = {"px": "pixels", "deg": "degrees"}


def unit_label(unit: str) -> str:
    """Return the unit of levels as an axis label; ``"level"`` if there is none.

    Examples
    --------
    >>> unit_label("window_px"), unit_label("scaling_factor"), unit_label("")
    ('window size (pixels)', 'scaling factor', 'level')
    """
    return _LABELS.get(unit, unit.replace("_", " "))


def level_label(name: str, unit: str) -> str:
    """Return the name of levels with their unit as an axis label.

    Parameters
    ----------
    name
        Name of the column of levels; ``""`` or ``"level"`` says nothing.
    unit
        Their unit; one of several words, such as ``"window_px"``, names them itself.

    Examples
    --------
    >>> level_label("contrast", "percent"), level_label("contrast", ""), level_label("level", "deg")
    ('contrast (percent)', 'contrast', 'size (degrees)')
    """
    if name in ("", "level") or "_" in unit:
        return unit_label(unit)
    shown = name.replace("_", " ")
    return f"{shown} ({_LONG.get(unit, unit)})" if unit else shown
