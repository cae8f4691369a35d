"""Draw every kind of figure as readers meet it, to be looked at: ``python -m tests.figures.sheets FOLDER``.

Each kind is written in four ways: ``screen``, ``dark`` (matplotlib's dark style), ``notebook`` (as a cell
shows it) and ``print`` (300 dots per inch, as wide as a column of a journal, or as its page where letters
would be smaller than 5 points in a column). ``index.html`` in the folder shows all, print in its real size.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from matplotlib import rc_context, rcdefaults, rcParams, style
from matplotlib.figure import Figure

from stimuli_store.tools.command_line import NamesTheNearest
from tests.figures.catalogue import KINDS, figure_of
from tests.figures.compare import STYLE, file_name
from tests.figures.letters import smallest_points

COLUMN_MM, PAGE_MM = 85.0, 180.0
LEAST_POINTS = 5.0
MM = 25.4  # in an inch
_PRINT_DPI = 300
WAYS = ("screen", "dark", "notebook", "print")


def printed_width_mm(figure: Figure) -> float:
    """Return the width of a column if all letters of a figure can be read there, else that of the page."""
    points = smallest_points(figure) * COLUMN_MM / (figure.get_figwidth() * MM)
    return COLUMN_MM if points >= LEAST_POINTS else PAGE_MM


def write(name: str, folder: Path) -> Iterator[tuple[str, Path, float]]:
    """Write a kind of figure in all ways, and yield each way, its file, and its width in mm, 0 on screens."""
    for way in WAYS:
        with rc_context():
            rcdefaults()
            style.use("dark_background" if way == "dark" else "default")
            rcParams.update(STYLE)
            figure = figure_of(KINDS[name]())
            path = folder / f"{file_name(name)}.{way}.png"
            width = printed_width_mm(figure) if way == "print" else 0.0
            if way == "notebook" and hasattr(figure, "_repr_png_"):
                path.write_bytes(figure._repr_png_()[0])
            elif way == "notebook":  # of pyplot, which cuts the margins
                figure.savefig(path, bbox_inches="tight")
            else:
                dpi = _PRINT_DPI * width / (figure.get_figwidth() * MM) if width else "figure"
                figure.savefig(path, dpi=dpi)
        yield way, path, width


def main() -> None:
    """Write the pictures of all kinds, or those of some, and a page that shows them."""
    parser = NamesTheNearest(prog="python -m tests.figures.sheets", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", choices=[[], *KINDS], metavar="NAME")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    page = ["<!doctype html><meta charset='utf-8'><title>Figures</title>"]
    for name in asked.names or KINDS:
        page.append(f"<h2>{escape(name)}</h2>")
        for way, path, width in write(name, asked.folder):
            size = f" style='width:{width}mm'" if width else ""
            page.append(
                f"<figure><figcaption>{way}</figcaption><img src='{path.name}'{size}></figure>"
            )
        print(name)
    (asked.folder / "index.html").write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main()
