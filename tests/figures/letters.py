"""The texts of a figure that are seen, and how small they are."""

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text


def texts(figure: Figure) -> Iterator[Text]:
    """Yield the texts of a figure that are seen."""
    yield from figure.texts
    yield from (text for legend in figure.legends for text in _of_legend(legend))
    for axes in figure.axes:
        yield from (axes.title, *axes.texts)
        if legend := axes.get_legend():
            yield from _of_legend(legend)
        if axes.axison:
            yield from beside(axes)


def _of_legend(legend: Legend) -> Iterator[Text]:
    yield from (legend.get_title(), *legend.get_texts())


def beside(axes: Axes) -> Iterator[Text]:
    """Yield the names and the numbers at axes."""
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        if axis.get_visible():
            yield axis.label
            marks = [*zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)]
            yield from (label for at, label in marks if min(limits) <= at <= max(limits))


def smallest_points(figure: Figure) -> float:
    """Return the size of the smallest letters of a figure in points, infinite if there are none."""
    seen = [text for text in texts(figure) if text.get_visible() and text.get_text().strip()]
    return min((text.get_fontsize() for text in seen), default=float("inf"))
