"""Every public plot with arguments that it takes, each of which may be replaced by an odd value."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import torch
from torch import nn

from stimsynth import plots
from tests.figures import catalogue
from tests.helpers import tiny_bank

IMSHOW = {"alpha": None, "norm": None, "interpolation": "nearest", "vmin": 0, "cmap": "gray"}
SELECTED = {"batch_idx": 0, "channel_idx": 0}
SHOWN: dict[str, Any] = {"vrange": "indep1", "zoom": 1}
GRIDS = {"title": "a", "col_wrap": 2, "ax": None, "plot_complex": "polar", "as_rgb": False}
ONE = {**SELECTED, **SHOWN, "iteration": None, "ax": None, "title": "a", "alpha": 1}
STATUS = {
    **{**SELECTED, **SHOWN, "ylim": None, "plot_representation_error_as_rgb": False},
    **{"fig": None, "axes_idx": {"plot_loss": 1}, "figsize": (15, 5)},
    **{"width_ratios": {"plot_loss": 2}, "included_plots": ["display_metamer", "plot_loss"]},
}
STEMS = plots.clean_stem_plot([1.0, 2.0])
FILM = plots.animshow(catalogue.video())


def fours() -> dict[str, Any]:
    names = ("mad_metric1_min", "mad_metric2_min", "mad_metric1_max", "mad_metric2_max")
    four = dict(zip(names, catalogue.competitions(), strict=True))
    return {**four, "metric1_name": "a", "metric2_name": "b"}


def statistics() -> Any:
    model, output = catalogue.texture()
    return model.convert_to_dict(output)


#: A function by its name, and after it what it is given.
CALLS: dict[str, tuple[Callable[..., Any], Callable[[], Mapping[str, Any]]]] = {
    "imshow": (
        plots.imshow,
        lambda: {"image": catalogue.pictures(), **SHOWN, **GRIDS, "batch_idx": 0, **IMSHOW},
    ),
    "imshow of a channel": (
        plots.imshow,
        lambda: {"image": catalogue.pictures(), **SELECTED, "as_rgb": False},
    ),
    "animshow": (
        plots.animshow,
        lambda: {
            "video": catalogue.video(),
            "framerate": 2,
            "repeat": False,
            **SHOWN,
            **GRIDS,
            **SELECTED,
        },
    ),
    "pyrshow": (
        plots.pyrshow,
        lambda: {
            **{"pyr_coeffs": catalogue.pyramid(), "vrange": "indep1", "zoom": 1, "cmap": "gray"},
            **{"show_residuals": True, "plot_complex": "polar", **SELECTED, "alpha": 1},
        },
    ),
    "histogram": (
        plots.histogram,
        lambda: {
            "data": [catalogue.pictures()],
            "labels": ["a"],
            **SELECTED,
            "ax": None,
            "bins": 8,
            "color": "red",
        },
    ),
    "filter_figure": (
        plots.filter_figure,
        lambda: {"kernels": {"a": np.eye(3)[None]}, **SHOWN, "cmap": "gray", "alpha": 1},
    ),
    "plot_representation": (
        plots.plot_representation,
        lambda: {
            **{
                "model": catalogue.layers()[0],
                "data": catalogue.layers()[1],
                "ax": None,
                "figsize": (5, 5),
                "ylim": (0, 1),
            },
            **{"batch_idx": 0, "title": "a", "as_rgb": False},
        },
    ),
    "plot_representation of images": (
        plots.plot_representation,
        lambda: {"data": catalogue.pictures(), "ylim": None, "title": "a", "as_rgb": True},
    ),
    "clean_stem_plot": (
        plots.clean_stem_plot,
        lambda: {
            **{"data": [1.0, 2.0], "ax": None, "title": "a", "ylim": (0, 3)},
            **{"xvals": ([0, 1], [1, 2]), "linefmt": "C0-", "label": "a"},
        },
    ),
    "clean_up_axes": (
        plots.clean_up_axes,
        lambda: {"ax": STEMS, "ylim": (0, 1), "spines_to_remove": ["top"], "axes_to_remove": ["x"]},
    ),
    "rescale_ylim": (plots.rescale_ylim, lambda: {"axes": [STEMS], "data": np.ones(3)}),
    "update_stem": (
        plots.update_stem,
        lambda: {"stem_container": STEMS.containers[0], "ydata": [1.0, 2.0]},
    ),
    "update_plot": (
        plots.update_plot,
        lambda: {"axes": STEMS, "data": torch.ones(1, 1, 2), "model": None, "batch_idx": 0},
    ),
    "plot_statistics": (
        plots.plot_statistics,
        lambda: {
            "statistics": statistics(),
            **{"ax": None, "figsize": (9, 9), "ylim": (0, 1), "batch_idx": 0, "title": "a"},
        },
    ),
    "display_metamer": (plots.display_metamer, lambda: {"metamer": catalogue.metamer(), **ONE}),
    "display_mad_image": (
        plots.display_mad_image,
        lambda: {"mad": catalogue.competitions()[0], **ONE},
    ),
    "display_image": (plots.display_image, lambda: {"synthesis": catalogue.optimized(), **ONE}),
    "plot_loss": (
        plots.plot_loss,
        lambda: {
            "synthesis": catalogue.metamer(),
            "iteration": 1,
            "ax": None,
            "color": "red",
            "linewidth": 1,
        },
    ),
    "plot_loss of a competition": (
        plots.plot_loss,
        lambda: {"synthesis": catalogue.competitions()[0], "axes": None},
    ),
    "plot_pixel_values": (
        plots.plot_pixel_values,
        lambda: {
            "synthesis": catalogue.metamer(),
            **SELECTED,
            "iteration": 1,
            "ylim": (0, 9),
            "ax": None,
            "bins": 9,
        },
    ),
    "plot_representation_error": (
        plots.plot_representation_error,
        lambda: {
            "metamer": catalogue.metamer(),
            "batch_idx": 0,
            "iteration": 1,
            "ylim": None,
            "ax": None,
            "as_rgb": False,
        },
    ),
    "plot_synthesis_status": (
        plots.plot_synthesis_status,
        lambda: {"synthesis": catalogue.metamer(), "iteration": 1, **STATUS},
    ),
    "animate": (
        plots.animate,
        lambda: {"synthesis": catalogue.metamer(), "framerate": 10, **STATUS},
    ),
    "display_mad_image_all": (
        plots.display_mad_image_all,
        lambda: {**fours(), **SHOWN, "alpha": 1},
    ),
    "plot_loss_all": (
        plots.plot_loss_all,
        lambda: {
            **{**fours(), "metric1_kwargs": {"color": "red"}, "metric2_kwargs": {}},
            **{"min_kwargs": {}, "max_kwargs": {"linestyle": "-"}, "figsize": (10, 5)},
        },
    ),
    "display_mad_set": (
        plots.display_mad_set,
        lambda: {
            **{"levels": catalogue.levels(), "image": catalogue.photo(size=16), "batch_idx": 0},
            **{"metric_1_name": "a", "metric_2_name": "b", **SHOWN, "alpha": 1},
        },
    ),
    "display_eigendistortion": (
        plots.display_eigendistortion,
        lambda: {
            **{
                "eigendistortion": catalogue.distortions(),
                "eigenindex": 0,
                "alpha": 5.0,
                "batch_idx": 0,
                "ax": None,
            },
            **{"process_image": nn.Identity(), "plot_complex": "polar", "as_rgb": False},
            **{**SHOWN, "title": "a", "cmap": "gray", "norm": None},
        },
    ),
    "display_eigendistortion_all": (
        plots.display_eigendistortion_all,
        lambda: {
            **{
                "eigendistortion": catalogue.distortions(),
                "eigenindex": [0, -1],
                "alpha": [5.0, 3],
                "batch_idx": 0,
            },
            **{
                "process_image": nn.Identity(),
                "as_rgb": False,
                **SHOWN,
                "interpolation": "nearest",
            },
        },
    ),
    "plot_deviation_from_line": (
        plots.plot_deviation_from_line,
        lambda: {
            **{"geodesic": catalogue.geodesic(), "ax": None},
            "natural_video": catalogue.geodesic().geodesic,
        },
    ),
    "display_bank": (
        plots.display_bank,
        lambda: {
            "bank": tiny_bank(Path(mkdtemp()), targets=("leaf",), levels=(4.0, 16.0)),
            **{"names": [], "columns": 8, "side_px": 64},
        },
    ),
    "plot_MAD_results": (
        plots.plot_MAD_results,
        lambda: {
            **{"original_image": "samp6", "noise_levels": [128], "results_dir": "no"},
            **{"ssim_images_dir": "no", "zoom": 3, "vrange": "indep1", "cmap": "gray"},
        },
    ),
    "Film": (
        plots.Film,
        lambda: {
            "figure": FILM.figure,
            "draw": lambda n: [],
            "frames": 2,
            "framerate": 10,
            "repeat": False,
        },
    ),
    "save": (
        FILM.save,
        lambda: {"filename": Path("no") / "no" / "film.gif", "writer": None, "fps": 3},
    ),
    "frame": (FILM.frame, lambda: {"number": 0}),
    "convert_anim_to_html": (plots.convert_anim_to_html, lambda: {"anim": 3}),
}
