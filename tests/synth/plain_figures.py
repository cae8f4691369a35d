"""What certificates state, recomputed from the 8-bit frames by plain formulas.

Nothing of ours is used but filters, noise and pooling models. `world` holds a bank and its models, as
functions of images in float64: `mine` and `deep`.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor
from torch.nn.functional import conv2d

from stimsynth.images import uniform_noise
from stimsynth.images.noise import gaussian_noise
from stimsynth.models import UniformPooling
from stimuli_store.records.stimulus import StimulusRecord

RTOL = 1e-6
Outputs = Callable[[Tensor], Tensor]


def images_of(world: SimpleNamespace, *ids: str) -> Tensor:
    """Frames as images (n, 1, h, w), float64."""
    return torch.stack([torch.from_numpy(world.bank.frame(i).pixels / 255.0)[None] for i in ids])


def rms(values: Tensor) -> float:
    return math.sqrt(float(values.detach().square().mean()))


def on_levels(image: Tensor) -> Tensor:
    return (image.clamp(0, 1).double() * 255).round() / 255


def one_minus_ssim(x: Tensor, y: Tensor) -> float:
    """Wang et al. 2004: 11 x 11 Gaussian windows of standard deviation 1.5 that fit into the image."""
    line = torch.exp(-((torch.arange(11.0, dtype=torch.float64) - 5) ** 2) / (2 * 1.5**2))
    window = torch.outer(line, line)[None, None] / line.sum() ** 2
    mean_x, mean_y, xx, yy, xy = (conv2d(v, window) for v in (x, y, x * x, y * y, x * y))
    var_x, var_y, cov = xx - mean_x**2, yy - mean_y**2, xy - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    top = (2 * mean_x * mean_y + c1) * (2 * cov + c2)
    return 1 - float((top / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


def metamer(world: SimpleNamespace, record: StimulusRecord) -> dict[str, float]:
    assert record.level is not None
    assert record.start is not None
    model = UniformPooling(window_px=int(record.level.value)).double()
    frame, target = images_of(world, record.sha256, record.target)
    start = on_levels(uniform_noise((1, 1, *record.shape), record.start.seed))
    goal = model(target[None])
    return {
        "distance": rms(model(frame[None]) - goal),
        "relative_distance": rms(model(frame[None]) - goal) / rms(goal),
        "start_distance": rms(model(start) - goal),
        "pixel_rms": rms(frame - target),
    }


def mad(world: SimpleNamespace, record: StimulusRecord) -> dict[str, float]:
    deep = world.models["deep"]
    assert record.start is not None
    frame, target = images_of(world, record.sha256, record.target).split(1)
    master = torch.from_numpy(world.bank.pixels(record.target)).double()
    start = on_levels(master + 0.04 * gaussian_noise((1, 1, *record.shape), record.start.seed))
    found = {
        "metric_1": one_minus_ssim(target, frame),
        "metric_2": rms(deep(target) - deep(frame)),
        "start_metric_1": one_minus_ssim(target, start),
        "start_metric_2": rms(deep(target) - deep(start)),
    }
    held = "metric_2" if record.role.startswith("metric_1") else "metric_1"
    return {**found, "drift": found[held] / found[f"start_{held}"] - 1}


def fisher(model: Outputs, image: Tensor) -> Outputs:
    """Product of JᵀJ at an image with an image, by a tangent and a gradient."""

    def product(vector: Tensor) -> Tensor:
        _, push = torch.func.jvp(model, (image,), (vector,))
        _, pull = torch.func.vjp(model, image)
        return pull(push)[0].detach()

    return product


def largest_eigenvalue(product: Outputs, image: Tensor) -> float:
    def flat(vector: np.ndarray) -> np.ndarray:
        return product(torch.from_numpy(vector).reshape(image.shape)).flatten().numpy()

    n = image.numel()
    start = np.random.default_rng(0).standard_normal(n)
    operator = LinearOperator((n, n), matvec=flat, dtype=np.float64)
    return float(eigsh(operator, k=1, v0=start, return_eigenvectors=False)[0])


def eigendistortion(world: SimpleNamespace, record: StimulusRecord) -> dict[str, float]:
    mine = world.models["mine"]
    target = images_of(world, record.target)
    if record.level is None:
        e = torch.from_numpy(world.bank.pixels(record.sha256)).double()[None, None]
        unit, product = e / e.norm(), fisher(mine, target)
        value = float((unit * product(unit)).sum())
        bound = float((product(unit) - value * unit).norm())
        largest = largest_eigenvalue(product, target)
        return {
            "eigenvalue": value,
            "error_bound": bound,
            "residual": bound / largest,
            "norm": float(e.norm()),
            "largest_eigenvalue": largest,
        }
    role = record.role.rstrip("+-")
    (unit_record,) = [r for r in world.bank.sets[record.set] if r.role == role]
    e = world.bank.pixels(unit_record.sha256).astype(np.float64)
    frame = images_of(world, record.sha256)
    sign = -1 if record.role.endswith("-") else 1
    amplitude = sign * float(np.sum((frame - target).numpy()[0, 0] * e))
    return {
        "amplitude": amplitude,
        "amplitude_error": amplitude / float(record.level.value) - 1,
        "response": rms(mine(frame) - mine(target)),
    }


def geodesic(world: SimpleNamespace, record: StimulusRecord) -> dict[str, float]:
    first, last = record.targets
    between = [r.sha256 for r in world.bank.sets[record.set]]
    path = world.models["mine"](images_of(world, first, *between, last)).detach()
    steps = [rms(b - a) for a, b in pairwise(path)]
    bound = (rms(path[-1] - path[0]) / len(steps)) ** 2
    return {
        "step": steps[record.member],
        "next_step": steps[record.member + 1],
        "bound_ratio": float(np.mean(np.square(steps))) / bound,
    }


def optimized(world: SimpleNamespace, record: StimulusRecord) -> dict[str, float]:
    responses = world.models["deep"](images_of(world, record.sha256, record.target))[:, 2]
    return {
        "objective": float(responses[0].mean()),
        "start_objective": float(responses[1].mean()),
    }


def pixels_apart(name: str) -> Callable[[SimpleNamespace, StimulusRecord], dict[str, float]]:
    def figures(world: SimpleNamespace, record: StimulusRecord) -> dict[str, float]:
        if record.target == record.sha256:
            return {}
        frame, target = images_of(world, record.sha256, record.target)
        return {name: rms(frame - target)}

    return figures


PLAIN = {
    "metamer": metamer,
    "mad": mad,
    "eigendistortion": eigendistortion,
    "geodesic": geodesic,
    "optimized": optimized,
    "noise": pixels_apart("rms"),
    "external": pixels_apart("pixel_rms"),
}


def denied_figures(record: StimulusRecord, world: SimpleNamespace) -> list[str]:
    """Names of the figures of a certificate that the formulas do not confirm."""
    stated, found = record.certificate.figures, PLAIN[record.kind](world, record)
    largest = found.get("largest_eigenvalue", 0.0)
    # The bound of an eigenvalue is a difference of numbers as large as the largest eigenvalue.
    near = {"error_bound": 1e-9 * largest, "residual": 1e-9}
    return [
        f"{name}: {stated.get(name)} is stated, {found.get(name)} is found"
        for name in stated.keys() | found.keys()
        if not math.isclose(
            stated.get(name, math.nan),
            found.get(name, math.nan),
            rel_tol=RTOL,
            abs_tol=near.get(name, 1e-12),
        )
    ]
