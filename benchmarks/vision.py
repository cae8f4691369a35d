"""Models, metrics and pyramids beside plenoptic: time and memory, at 256², in one process.

Every row runs on the same image, forward and forward + backward, in pairs of a few calls of ours and as
many of the peer's; a ratio is the median over pairs. The gradient is that of a random weighting of the
output.
"""

import importlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.memory import peak_bytes
from benchmarks.pairs import compare
from stimsynth import images, metrics, models, remove_grad
from stimsynth.transforms import LaplacianPyramid, SteerablePyramidFreq

Way = Callable[[Tensor], list[Tensor]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """Our way and the peer's, with the ratios that are to be reached (None for no promise)."""

    ours: Way
    theirs: Way
    forward: float | None = None
    both: float | None = None


def rows(peer: Any) -> dict[str, Row]:
    """Return the table: what is computed, to how."""
    other = images.load("coffee")
    table: dict[str, Row] = {}
    for name in (
        "LinearNonlinear",
        "LuminanceGainControl",
        "LuminanceContrastGainControl",
        "OnOff",
    ):
        made = [
            remove_grad(getattr(library, name)((31, 31), pretrained=True, cache_filt=True))
            for library in (models, peer.models)
        ]
        table[f"{name} 31x31"] = Row(ours=_one(made[0]), theirs=_one(made[1]), both=20)
    for name in ("ssim", "ms_ssim", "nlpd"):
        ours, theirs = getattr(metrics, name), getattr(peer.metric, name)
        table[name] = Row(
            ours=_one(lambda x, f=ours: f(x, other)),
            theirs=_one(lambda x, f=theirs: f(x, other)),
            both=8 if name == "ssim" else None,
        )
    table["PortillaSimoncelli"] = Row(
        ours=_one(models.PortillaSimoncelli((256, 256))),
        theirs=_one(peer.models.PortillaSimoncelli((256, 256))),
        forward=4,
        both=2.5,
    )
    for title, kind in (("real", {}), ("complex", {"is_complex": True})):
        table[f"SteerablePyramidFreq, {title}"] = Row(
            ours=_many(SteerablePyramidFreq((256, 256), **kind)),
            theirs=_many(peer.process.SteerablePyramidFreq((256, 256), **kind)),
            forward=2,
            both=2,
        )
    table["LaplacianPyramid"] = Row(
        ours=LaplacianPyramid(5), theirs=peer.process.LaplacianPyramid(5)
    )
    return table


def main() -> int:
    """Print the table; return 0 if every promise is kept."""
    try:
        peer = importlib.import_module("plenoptic")
    except ImportError:
        print('this benchmark needs plenoptic: pip install -e ".[synth,peers]"')
        return 1
    warnings.simplefilter("ignore")  # the peer's warnings would fill the table
    image = images.load("camera").requires_grad_(True)
    print(f"256x256, float32, {torch.get_num_threads()} threads; ratio = peer / ours; * = promised")
    print(f"{'':34}{'forward':>24}{'forward + backward':>24}{'peak memory':>22}")
    kept = True
    for name, row in rows(peer).items():
        cells = []
        for ours, theirs, target in (
            (lambda r=row: r.ours(image), lambda r=row: r.theirs(image), row.forward),
            (_slope(row.ours, image), _slope(row.theirs, image), row.both),
        ):
            found = compare(ours, theirs, calls=6, warm_up=2)
            kept &= target is None or found.ratio >= target
            cells.append(_cell(found.ours_s * 1e3, "ms", found.ratio, target))
        used, theirs_used = (peak_bytes(_slope(way, image)) for way in (row.ours, row.theirs))
        kept &= used <= theirs_used
        cells.append(_cell(used / 2**20, "MB", theirs_used / used, 1))
        print(f"{name:34}{cells[0]:>24}{cells[1]:>24}{cells[2]:>22}")
    return int(not kept)


def _one(way: Callable[[Tensor], Tensor]) -> Way:
    return lambda x: [way(x)]


def _many(pyramid: Callable[[Tensor], Mapping[Any, Tensor]]) -> Way:
    return lambda x: list(pyramid(x).values())


def _slope(way: Way, image: Tensor) -> Callable[[], object]:
    """Return a function that computes the gradient of a fixed random weighting of the output."""
    generator = torch.Generator().manual_seed(0)
    weights = [
        torch.randn(part.shape, generator=generator, dtype=part.dtype) for part in way(image)
    ]
    return lambda: torch.autograd.grad(way(image), image, weights)


def _cell(value: float, unit: str, ratio: float, target: float | None) -> str:
    promise = "" if target is None else f" *{target:g}"
    return f"{value:7.2f} {unit} {ratio:5.1f}x{promise:5}"
