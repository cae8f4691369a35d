"""Every synthesis that goes step by step, small, around one function that tests can make fail."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from stimsynth import (
    Eigendistortion,
    Geodesic,
    MADCompetition,
    Metamer,
    MetamerCTF,
    OptimizedImage,
    images,
)
from stimsynth.losses import mse
from stimsynth.methods.base.synthesis import OptimizedSynthesis


class Trap(nn.Module):
    """A model, metric or objective that does something at one of its calls to come."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function, self.left = function, 10**9
        self.act: Callable[[], None] = fail
        self.scales = getattr(function, "scales", None)

    def set(self, calls: int, act: Callable[[], None]) -> None:
        self.left, self.act = calls, act

    def forward(self, *given: Any, **scales: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            self.act()
        return self.function(*given, **scales)


def fail() -> None:
    raise RuntimeError("out of memory, say")


def press_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


@contextmanager
def python_handles_ctrl_c() -> Iterator[None]:
    """Within, Ctrl-C raises KeyboardInterrupt here and in children; a background job ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Pooled(nn.Module):
    """Tuned means over squares of 4 and 2 pixels: two scales, blind to what varies within a square."""

    scales = ("coarse", "fine")
    sizes = (4, 2)

    def forward(self, image: Tensor, scales: Any = None) -> Tensor:
        wanted = self.scales if scales is None else scales
        named = zip(self.scales, self.sizes, strict=True)
        parts = [nn.functional.avg_pool2d(image, s).flatten(1) for n, s in named if n in wanted]
        return torch.tanh(2 * torch.cat(parts, dim=1))[:, None]


def picture(name: str = "camera") -> Tensor:
    return images.load(name, size=8).double()


def contrast(image: Tensor, other: Tensor) -> Tensor:
    return (image.square() - other.square()).square().mean()


def response(image: Tensor) -> Tensor:
    """Rough weights for a smooth image: the best one lies inside of [0, 1] and takes many steps."""
    weights = torch.linspace(-1, 1, image.numel(), dtype=image.dtype).sin().view_as(image)
    rough = image.diff(dim=-1).square().sum() + image.diff(dim=-2).square().sum()
    return (weights * image).sum() - 2 * rough - (image - 0.5).pow(4).sum()


def _mad(trap: Trap, **kwargs: Any) -> MADCompetition:
    return MADCompetition(picture(), trap, mse, "max", seed=1, **kwargs)


def _geodesic(trap: Trap) -> Geodesic:
    return Geodesic(picture(), picture("grass"), trap, 4, "bridge", seed=1)


def _optimized(trap: Trap, **kwargs: Any) -> OptimizedImage:
    return OptimizedImage(0.3 + 0.4 * picture(), trap, **kwargs)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A class with the arguments of its `synthesize`; `make` takes the trap it is built around."""

    make: Callable[[Trap], OptimizedSynthesis]
    function: Callable[..., Tensor]
    options: Mapping[str, Any] = field(default_factory=dict)
    own: bool = False  # it moves in a way of its own and takes no optimizer
    calls: int = 7  # by then it has taken a step, and not many

    def begin(self) -> tuple[OptimizedSynthesis, Trap]:
        trap = Trap(self.function)
        return self.make(trap), trap


_STAGES = {"change_scale_criterion": None, "ctf_iters_to_check": 3}
CASES = {
    "Metamer": Case(make=lambda t: Metamer(picture(), t, seed=1), function=Pooled()),
    "MetamerCTF": Case(
        make=lambda t: MetamerCTF(picture(), t, seed=1), function=Pooled(), options=_STAGES
    ),
    "MADCompetition": Case(make=_mad, function=contrast, own=True, calls=12),
    "MADCompetition, weighed": Case(
        make=partial(_mad, metric_tradeoff_lambda=10.0), function=contrast
    ),
    "Geodesic": Case(make=_geodesic, function=Pooled(), options={"stop_criterion": 0.0}),
    "OptimizedImage": Case(make=_optimized, function=response),
    "OptimizedImage, held": Case(
        make=partial(_optimized, held={"variance": torch.var}), function=response, own=True
    ),
}

OPTIMIZERS: dict[str, Mapping[str, Any]] = {
    "default": {},
    "Adam": {"optimizer": torch.optim.Adam},
    "momentum": {"optimizer": partial(torch.optim.SGD, lr=0.05, momentum=0.9)},
    "scheduler": {
        "optimizer": partial(torch.optim.Adam, lr=0.02, amsgrad=True),
        "scheduler": partial(torch.optim.lr_scheduler.StepLR, step_size=2, gamma=0.5),
    },
    "torch's L-BFGS": {
        "optimizer": partial(torch.optim.LBFGS, lr=0.1, max_iter=4, line_search_fn="strong_wolfe")
    },
}


def eigendistortion(method: str = "lanczos") -> tuple[Eigendistortion, Trap, Mapping[str, Any]]:
    """The trap is around the products; the model itself is differentiated once."""
    found = Eigendistortion(picture(), Pooled())
    found._operator = trap = Trap(found._operator)  # type: ignore[method-assign,arg-type,assignment]
    options = {"method": method, "k": 2, "stop_criterion": 0.0, "residual_tolerance": 0.0}
    return found, trap, options


def points(found: OptimizedSynthesis) -> Tensor:
    assert found.run is not None
    return found.run.points
