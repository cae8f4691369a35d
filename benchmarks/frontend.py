"""LuminanceGainControl, 31 × 31 kernels, 256²: ours against direct convolution, in one process.

Both run forward and backward in turn, pair by pair; the ratio of each pair is what counts, because the
speed of a shared machine drifts. Target: at least 10 times faster, outputs and gradients equal to 1e-5.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.pairs import compare
from stimsynth import LuminanceGainControl, images, remove_grad

PAIRS = 15
TARGET = 10.0


def direct(model: LuminanceGainControl, image: Tensor) -> Tensor:
    """Return the model's output by sliding its kernels over the reflected image."""
    padded = F.pad(image, (15, 15, 15, 15), mode="reflect")
    linear = F.conv2d(padded, model.center_surround.filt)
    local = F.conv2d(padded, model.luminance.filt)
    return F.softplus(linear / (1 + model.luminance_scalar * local))


def main() -> int:
    """Print the table; return 0 if the target is met."""
    model = remove_grad(LuminanceGainControl((31, 31)))
    image = images.load("camera").requires_grad_(True)
    ways: dict[str, Callable[[], Tensor]] = {
        "direct 31x31 convolution": lambda: direct(model, image),
        "stimsynth": lambda: model(image),
    }
    gradients: dict[str, Tensor] = {}

    def run(name: str) -> None:
        (gradients[name],) = torch.autograd.grad(ways[name]().sum(), image)

    plain, ours = ways
    found = compare(lambda: run(ours), lambda: run(plain), pairs=PAIRS)
    output_error = float((ways[plain]() - ways[ours]()).detach().abs().max())
    gradient_error = float((gradients[plain] - gradients[ours]).abs().max())
    print(f"LuminanceGainControl 31x31, 256x256, float32, {torch.get_num_threads()} threads")
    for name, seconds in ((plain, found.theirs_s), (ours, found.ours_s)):
        print(f"  {name:26} forward + backward {1e3 * seconds:8.2f} ms")
    print(f"  ratio (median of {PAIRS} pairs)  {found.ratio:.1f}, target {TARGET:.0f}")
    print(f"  largest difference of outputs {output_error:.1e}, of gradients {gradient_error:.1e}")
    return int(not (found.ratio >= TARGET and output_error <= 1e-5 and gradient_error <= 1e-5))
