"""Models and metrics beside plenoptic, forward and forward + backward, at 256², in one process."""

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.pairs import compare
from stimsynth import images, metrics, models, remove_grad
from stimsynth.transforms.laplacian_pyramid import LaplacianPyramid

FRONT_ENDS = (
    "LinearNonlinear",
    "LuminanceGainControl",
    "LuminanceContrastGainControl",
    "OnOff",
)
TARGETS = {**dict.fromkeys(FRONT_ENDS, 20.0), "ssim": 8.0}
Way = Callable[[Tensor], Tensor]


def rows(peer: Any) -> dict[str, tuple[Way, Way]]:
    """Return our way and the peer's way of each computation, both functions of an image."""
    other = images.load("coffee")
    table: dict[str, tuple[Way, Way]] = {
        name: (
            remove_grad(getattr(models, name)((31, 31), pretrained=True, cache_filt=True)),
            remove_grad(getattr(peer.models, name)((31, 31), pretrained=True, cache_filt=True)),
        )
        for name in FRONT_ENDS
    }
    for name in ("ssim", "ms_ssim", "nlpd"):
        ours, theirs = getattr(metrics, name), getattr(peer.metric, name)
        table[name] = (lambda x, f=ours: f(x, other), lambda x, f=theirs: f(x, other))
    pyramids = LaplacianPyramid(5), peer.process.LaplacianPyramid(5)
    table["LaplacianPyramid"] = tuple(  # type: ignore[assignment]
        lambda x, p=p: torch.cat([scale.flatten() for scale in p(x)]) for p in pyramids
    )
    return table


def main() -> int:
    """Print the table; return 0 if every stated target is met."""
    try:
        peer = importlib.import_module("plenoptic")
    except ImportError:
        print('this benchmark needs plenoptic: pip install -e ".[synth,peers]"')
        return 1
    warnings.simplefilter("ignore")  # the peer's warnings would fill the table
    image = images.load("camera").requires_grad_(True)
    print(f"256x256, float32, {torch.get_num_threads()} threads; ratio = peer's time / ours")
    print(f"{'':30}{'forward':>22}{'forward + backward':>26}{'target':>8}")
    met = True
    for name, (ours, theirs) in rows(peer).items():
        forward = compare(lambda f=ours: f(image), lambda f=theirs: f(image))
        both = compare(
            lambda f=ours: torch.autograd.grad(f(image).sum(), image),
            lambda f=theirs: torch.autograd.grad(f(image).sum(), image),
        )
        target = TARGETS.get(name)
        met &= target is None or both.ratio >= target
        cells = [f"{1e3 * r.ours_s:7.2f} ms {r.ratio:8.1f}x" for r in (forward, both)]
        print(f"{name:30}{cells[0]:>22}{cells[1]:>26}{target or '':>8}")
    return int(not met)
