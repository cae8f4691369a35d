"""Every kind of figure of `stimsynth.plots` and `analysis.plots`, small and always the same."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from matplotlib import rc_context, rcdefaults, rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor, nn

from analysis.plots import Tile, display_stimuli
from stimsynth import (
    Eigendistortion,
    Geodesic,
    LuminanceGainControl,
    MADCompetition,
    Metamer,
    OnOff,
    OptimizedImage,
    PortillaSimoncelli,
    features,
    images,
    mad_set,
    plots,
    remove_grad,
)
from stimsynth.metrics import mse, ssim
from stimsynth.transforms import SteerablePyramidFreq
from tests.analysis.test_plots import PLOTS
from tests.figures.compare import STYLE
from tests.helpers import tiny_bank


def photo(name: str = "camera", size: int = 32) -> Tensor:
    return images.load(name, size=size).double()


def one_minus_ssim(x: Tensor, y: Tensor) -> Tensor:
    return 1 - ssim(x, y)


@cache
def metamer() -> Metamer:
    made = Metamer(photo(), remove_grad(LuminanceGainControl((7, 7)).double()), seed=0)
    made.synthesize(max_iter=6, store_progress=1, stop_criterion=0)
    return made


@cache
def competitions() -> tuple[MADCompetition, ...]:
    """Least and largest of both metrics, in the order that the plots take."""
    made = [
        MADCompetition(photo(), *pair, end, seed=0)  # type: ignore[arg-type]
        for end in ("min", "max")
        for pair in ((one_minus_ssim, mse), (mse, one_minus_ssim))
    ]
    for mad in made:
        mad.synthesize(max_iter=4, store_progress=1, stop_criterion=0)
    return tuple(made)


@cache
def distortions() -> Eigendistortion:
    made = Eigendistortion(photo(size=8), remove_grad(OnOff((7, 7)).double()), seed=0)
    made.synthesize("exact", k=1)
    return made


@cache
def geodesic() -> Geodesic:
    image = photo(size=16)
    model = remove_grad(LuminanceGainControl((7, 7)).double())
    made = Geodesic(image, image.flip(-1), model, 4, "bridge", seed=0)
    made.synthesize(max_iter=10, stop_criterion=0)
    return made


@cache
def optimized() -> OptimizedImage:
    made = OptimizedImage(photo(size=16), lambda x: (x - 0.5).square().sum())
    made.synthesize(max_iter=3)
    return made


@cache
def texture() -> tuple[PortillaSimoncelli, Tensor]:
    model = PortillaSimoncelli((32, 32), n_scales=2, spatial_corr_width=3).double()
    return model, model(photo("grass"))


@cache
def texture_metamer() -> Metamer:
    made = Metamer(photo("grass"), texture()[0], seed=0)
    made.synthesize(max_iter=4, stop_criterion=0)
    return made


@cache
def layers() -> tuple[nn.Module, Tensor]:
    """A model of two layers of a network whose filters are waves."""
    waves = torch.stack([torch.sin(k * torch.arange(9.0)).view(1, 3, 3) for k in (0.4, 1, 2)])
    network = nn.Sequential(nn.Conv2d(1, 3, 3, bias=False), nn.AvgPool2d(15), nn.Flatten())
    network[0].weight.data = waves
    model = features(network.double(), ["0", "2"], image_shape=(1, 32, 32))
    return model, model(photo())


def bank_figure() -> Figure:
    with TemporaryDirectory() as folder:
        bank = tiny_bank(Path(folder), targets=("leaf",), levels=(4.0, 16.0))
        return plots.display_bank(bank, side_px=64)


def pictures() -> Tensor:
    return torch.cat([photo(), photo().flip(-1), 1 - photo()], dim=1)


def some_axes() -> Axes:
    """Return axes of a user's own figure, in the size and with the dots per inch of matplotlib."""
    figure = Figure()
    FigureCanvasAgg(figure)
    return figure.subplots()


def video() -> Tensor:
    return torch.stack([photo(size=16).roll(n, -1) for n in range(4)], dim=2)


def last_frame(film: Any) -> Figure:
    """Return the figure of a film as it is at the end."""
    film.frame(-1)
    figure: Figure = film.figure
    return figure


def pyramid() -> Any:
    return SteerablePyramidFreq((32, 32), height=2, order=1)(photo().float())


def stimuli() -> Figure:
    grey = np.linspace(0, 255, 64).astype(np.uint8).reshape(8, 8)
    tiles = [Tile(pixels=np.roll(grey, n, 0), heading=f"level {n}", note="0.5 deg") for n in (0, 2)]
    return display_stimuli([[Tile(pixels=grey, heading="target")], tiles])


STIMSYNTH: dict[str, Callable[[], Any]] = {
    "images": lambda: plots.imshow(pictures(), title=["a", "b", "a longer title"], zoom=2),
    "images in colour": lambda: plots.imshow(pictures(), as_rgb=True, zoom=3, title=None),
    "complex images": lambda: plots.imshow(torch.complex(photo(), 1 - photo()), vrange="auto0"),
    "images on axes": lambda: plots.imshow(pictures(), col_wrap=2, ax=some_axes()),
    "images in rows": lambda: plots.imshow(pictures(), col_wrap=2, vrange="auto1", zoom=2),
    "frame of a video": lambda: last_frame(plots.animshow(video(), zoom=8)),
    "histogram": lambda: plots.histogram([photo(), photo().square()], ["values", "squares"]),
    "pyramid": lambda: plots.pyrshow(pyramid(), zoom=2),
    "filters": lambda: OnOff((7, 7)).display_filters(),
    "output of images": lambda: plots.plot_representation(data=pictures()),
    "output of numbers": lambda: plots.plot_representation(data=pictures()[..., :2, 0]),
    "output of two layers": lambda: plots.plot_representation(*layers()),
    "statistics of a texture": lambda: plots.plot_representation(*texture(), figsize=(9, 9)),
    "stems": lambda: plots.clean_stem_plot(photo()[0, 0, 3].numpy(), title="a row"),
    "metamer": lambda: plots.display_metamer(metamer()),
    "loss": lambda: plots.plot_loss(metamer(), iteration=2),
    "pixel values": lambda: plots.plot_pixel_values(metamer()),
    "representation error": lambda: plots.plot_representation_error(metamer()),
    "status of a metamer": lambda: plots.plot_synthesis_status(metamer()),
    "status of a texture": lambda: plots.plot_synthesis_status(texture_metamer()),
    "film of a metamer": lambda: last_frame(plots.animate(metamer())),
    "MAD image": lambda: plots.display_mad_image(competitions()[0]),
    "status of a competition": lambda: plots.plot_synthesis_status(competitions()[0]),
    "status for print": lambda: plots.plot_synthesis_status(competitions()[0], figsize=(11, 3)),
    "losses of competitions": lambda: plots.plot_loss_all(*competitions(), "1 − SSIM", "MSE"),
    "MAD images": lambda: plots.display_mad_image_all(*competitions(), "1 − SSIM", "MSE", zoom=2),
    "MAD set": lambda: plots.display_mad_set(levels(), photo(size=16), zoom=4),
    "eigendistortion": lambda: plots.display_eigendistortion(distortions(), zoom=16),
    "eigendistortions": lambda: plots.display_eigendistortion_all(distortions(), [0, -1], zoom=8),
    "status of a geodesic": lambda: plots.plot_synthesis_status(geodesic()),
    "deviation from a line": lambda: plots.plot_deviation_from_line(geodesic()),
    "status of an optimized image": lambda: plots.plot_synthesis_status(optimized()),
    "bank": bank_figure,
}


@cache
def levels() -> Any:
    return mad_set(photo(size=16), one_minus_ssim, mse, (0.05, 0.1), max_iter=3, seed=0)


#: Of the plots of analysis, those that differ in kind.
ANALYSIS: dict[str, Callable[[], Any]] = {
    "stimuli": stimuli,
    **{
        name: PLOTS[name]
        for name in (
            "fit", "two fits", "fit with unequal trials", "residuals", "d'", "critical scaling",
            "ratios of distortions", "thresholds", "ranking", "timing", "response times",
        )
    },
}  # fmt: skip
FIGURES = {**STIMSYNTH, **ANALYSIS}
#: All that are looked at by eye, by ``python -m tests.figures.sheets``.
KINDS = {**FIGURES, **PLOTS}


@cache
def drawn(name: str) -> Figure:
    """Return a figure, drawn once, in the style of matplotlib and with the font that it brings along."""
    with rc_context():
        rcdefaults()
        rcParams.update(STYLE)
        figure = figure_of(FIGURES[name]())
        figure.canvas.draw()
    return figure


def figure_of(made: Any) -> Figure:
    """Return the figure of what a plot returned: a figure, axes, or a tuple of axes."""
    first = made[0] if isinstance(made, tuple | list) else made
    found: Figure = first.get_figure(root=True)
    return found
