"""Draw the README's picture from the results of `stimsynth demo`.

Run it: python docs/make_road_image.py demo/seed-1 docs/images/road.png
"""

import sys
from pathlib import Path

import numpy as np

from analysis.data.journals import read_sessions
from analysis.data.tables import answers_of
from analysis.plots import plot_fit, style
from analysis.report.headlines import statements_of
from analysis.report.results import analyse
from stimuli_store.bank.reading import Bank, open_bank


def pictures(bank: Bank, unit: str) -> list[tuple[str, np.ndarray]]:
    """Return the first target and one metamer of it for every level, with their headings."""
    target = next(iter(bank.references.values()))
    rows = [("photograph", bank.frame(target.sha256).pixels)]
    for members in bank.sets.values():
        first = members[0]
        if first.target == target.sha256 and first.level and first.level.unit == unit:
            rows.append((f"{first.level.value:g} px", bank.frame(first.sha256).pixels))
    return rows


def main() -> None:
    """Write the picture."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    bank = open_bank(next(folder.parent.glob("demo-*.h5")))
    sessions = read_sessions([folder / "metamer" / "data"])
    results = analyse(answers_of(bank, sessions), bank=bank, sessions=sessions)
    headline = results.headline
    tiles = pictures(bank, results.unit)
    figure = style.figure(10.0, 5.0)
    grid = figure.add_gridspec(2, len(tiles), height_ratios=(1.0, 3.0))
    for column, (heading, pixels) in enumerate(tiles):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(heading, fontsize=9, color=style.INK)
        axes.set_axis_off()
    axes = style.quiet(figure.add_subplot(grid[1, :]))
    fit = headline.fit
    plot_fit(fit, axes, unit=results.unit)
    threshold, true, models = statements_of(results)[:3]
    lines = [f"threshold {threshold.value}", threshold.notes[1].text]
    lines += [f"simulated observers' own: {true.value}", f"{models.short}: {models.value}"]
    text = axes.text(
        fit.high * 1.15, fit.p - 0.02, "\n".join(lines), va="top", fontsize=9, color=style.INK
    )
    text.set_in_layout(False)
    axes.set_ylabel("proportion correct, ABX")
    out.write_bytes(style.to_png(figure, dpi=110))


if __name__ == "__main__":
    main()
