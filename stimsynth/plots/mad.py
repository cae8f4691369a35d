"""Plots of published maximum differentiation results."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.images.mad_archive import MAD_STIMULI, load_mad_results
from stimsynth.plots.panels import Panel, panel_figure
from stimsynth.plots.ranges import Range, display_ranges, range_colors
from stimuli_store.tools.gates import a_list, a_path, optional, takes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@takes(
    noise_levels=optional(a_list), results_dir=optional(a_path), ssim_images_dir=optional(a_path)
)
def plot_MAD_results(
    original_image: str,
    noise_levels: Sequence[int] | None = None,
    results_dir: str | os.PathLike[str] | None = None,
    ssim_images_dir: str | os.PathLike[str] | None = None,
    zoom: float = 3,
    vrange: str | Range = "indep1",
    **kwargs: Any,
) -> tuple["Figure", dict[str, dict[str, Any]]]:
    """Draw the published stimuli of the first maximum differentiation study, and return figure and scores.

    A notebook shows the figure.

    The original image is at the top; below it is a row for every noise level with the noisy image and four
    synthesized images: best and worst SSIM at its MSE, lowest and highest MSE at its SSIM.

    Parameters
    ----------
    original_image, noise_levels, results_dir, ssim_images_dir
        See `stimsynth.images.mad_archive.load_mad_results`.
    zoom
        Display pixels per image pixel.
    vrange
        See `stimsynth.plots.ranges.display_ranges`; also ``"row0"`` to ``"row3"``, for one range per row.
    kwargs
        See `stimsynth.plots.panels.panel_figure`.

    Returns
    -------
    fig
        The figure.
    results
        Scores by noise level, as ``"L128"``; ``pandas.DataFrame(results).T`` makes a table of them.

    Raises
    ------
    InputError
        (a ValueError) if there is no such image, level or file.
    DownloadError
        If the files cannot be downloaded.
    MissingExtra
        If matplotlib is not installed.

    Examples
    --------
    >>> figure, figures = plot_MAD_results("samp6")  # doctest: +SKIP
    """
    found = load_mad_results(original_image, noise_levels, results_dir, ssim_images_dir)
    rows = [[("Original image", found.original)]]
    for level, images in found.images.items():
        titles = _titles(level, found.scores[level])
        rows.append([(titles[name], images[name]) for name in MAD_STIMULI])
    figure = panel_figure(
        _panels(rows, vrange), zoom=zoom, **{"cmap": range_colors(vrange), **kwargs}
    )
    results = {
        f"L{level}": {**scores, "noise_level": level, "original_image": original_image}
        for level, scores in found.scores.items()
    }
    from stimuli_store.tools.figures import PlotTuple

    return PlotTuple((figure, results))


def _titles(level: int, scores: Mapping[str, Any]) -> dict[str, str]:
    def shown(score: str) -> str:
        return f"{float(scores[score]):.5g}" if score in scores else "?"

    mse = f"at MSE {shown('FIX_MSE')}"
    ssim = f"at SSIM {shown('FIX_SSIM')}"
    values = (
        f"Noise level {level}",
        f"Best SSIM {shown('maxssim')}\n{mse}",
        f"Worst SSIM {shown('minssim')}\n{mse}",
        f"Lowest MSE {shown('minmse')}\n{ssim}",
        f"Highest MSE {shown('maxmse')}\n{ssim}",
    )
    return dict(zip(MAD_STIMULI, values, strict=True))


def _panels(rows: list[list[tuple[str, np.ndarray]]], vrange: str | Range) -> list[list[Panel]]:
    if isinstance(vrange, str) and vrange.startswith("row"):
        name = "auto" + vrange.removeprefix("row")
        ranges = [display_ranges([image for _, image in row], name) for row in rows]
    else:
        every = iter(display_ranges([image for row in rows for _, image in row], vrange))
        ranges = [[next(every) for _ in row] for row in rows]
    return [
        [Panel(pixels=x, title=t, shown=s) for (t, x), s in zip(row, shown, strict=True)]
        for row, shown in zip(rows, ranges, strict=True)
    ]
