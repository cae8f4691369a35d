"""Draw the README's picture: a photograph, what the methods make of it, and answers with fitted curves.

The answers are simulated, and said to be. Every random choice has a seed.

Run it: python docs/make_hero.py docs/images/hero.png
"""

import io
import sys
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from analysis.plots import style
from stimsynth import (
    Eigendistortion,
    FoveatedPooling,
    LuminanceGainControl,
    Metamer,
    ScalingTruth,
    StudyDesign,
    fit_critical_scaling,
    images,
    mad_set,
    metrics,
    plot_scaling,
    remove_grad,
    simulated_answers,
)
from stimuli_store.tasks import task_named
from stimuli_store.tools.figures import PlotAxes, PlotFigure, to_png

SIDE, ZOOM, DPI = 128, 2, 144
TILE, GAP, HEAD, WIDTH = SIDE * ZOOM, 14, 40, 1600
#: Critical scaling of the simulated people for each sort of metamer.
CRITICAL = {"energy": 0.22, "texture": 0.45}


def dissimilarity(image: Tensor, other: Tensor) -> Tensor:
    """Return 1 - SSIM."""
    return 1 - metrics.ssim(image, other)


def tiles(photo: Tensor) -> list[list[tuple[str, Tensor]]]:
    """Return two rows of pictures with their headings."""
    windows = FoveatedPooling((SIDE, SIDE), "energy", ppd=16, scaling=0.5, n_scales=3)
    metamer = Metamer(photo, windows, seed=1)
    metamer.synthesize(max_iter=150)
    (level,) = mad_set(photo, dissimilarity, metrics.mse, [0.1], seed=1, max_iter=100)
    eigen = Eigendistortion(photo, remove_grad(LuminanceGainControl(15, pretrained=False)), seed=0)
    eigen.synthesize()
    most, least = (photo + 5 * eigen.eigendistortions[end] for end in (0, -1))
    best, worst = (level.members[f"metric_1_{end}"].image for end in ("min", "max"))
    return [
        [
            ("photograph", photo),
            ("a metamer of it", metamer.metamer),
            ("retina model sees most", most),
        ],
        [
            ("same MSE, best SSIM", best),
            ("same MSE, worst SSIM", worst),
            ("retina model sees least", least),
        ],
    ]


def draw_answers_of_people(axes: PlotAxes) -> None:
    """Draw simulated answers to metamers of two models, with fitted curves."""
    design = StudyDesign(
        task=task_named("abx"),
        levels=(0.12, 0.18, 0.27, 0.4, 0.6, 0.9),
        n_participants=4,
        n_images=5,
        n_trials=12,
    )
    for seed, (model, critical) in enumerate(CRITICAL.items()):
        answers = simulated_answers(design, ScalingTruth(critical=critical, gain=3.0), seed=seed)
        fit = fit_critical_scaling(*answers.counts("level").to_numpy().T, task=design.task)
        plot_scaling(fit, axes, label=model)
    axes.set_xlabel("size of windows ÷ distance from fixation (scaling)", fontsize=10)
    axes.set_ylabel("proportion correct (simulated people)", fontsize=10)
    axes.legend(frameon=False, loc="lower right", fontsize=9, title="critical scaling")


def picture(rows: list[list[tuple[str, Tensor]]]) -> PlotFigure:
    """Return the figure; each pixel of a picture is a block of its pixels."""
    height = GAP + len(rows) * (TILE + HEAD)
    figure = style.figure(WIDTH / DPI, height / DPI)
    figure.set_layout_engine("none")
    for number, row in enumerate(rows):
        for column, (heading, image) in enumerate(row):
            left, top = GAP + column * (TILE + GAP), HEAD + number * (TILE + HEAD)
            box = (left / WIDTH, 1 - (top + TILE) / height, TILE / WIDTH, TILE / height)
            axes = figure.add_axes(box)
            axes.imshow(
                image[0, 0].numpy(),
                cmap="gray",
                vmin=0,
                vmax=1,
                interpolation="nearest",
                aspect="auto",
            )
            axes.set_axis_off()
            axes.set_title(heading, fontsize=9.5, color=style.INK, pad=4)
    left = 3 * (TILE + GAP) + 110
    curve = figure.add_axes(
        (left / WIDTH, 80 / height, (WIDTH - left - GAP) / WIDTH, 1 - (80 + HEAD) / height),
        axes_class=PlotAxes,
    )
    draw_answers_of_people(style.quiet(curve))
    return figure


def main() -> None:
    """Write the picture, with 256 colours so that it is small."""
    torch.set_num_threads(1)
    figure = picture(tiles(images.load("camera", size=SIDE)))
    whole = Image.open(io.BytesIO(to_png(figure, DPI))).convert("RGB")
    whole.quantize(256, dither=Image.Dither.NONE).save(Path(sys.argv[1]), optimize=True)


if __name__ == "__main__":
    main()
