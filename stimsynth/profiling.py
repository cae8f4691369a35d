"""Profile a model: time of its output and of its gradient, and the operations that take it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity
from torch.profiler import profile as torch_profile

from stimsynth.validate import checked_output
from stimsynth.validate.images import MODEL_FIRST, kept_image
from stimuli_store.tools import html
from stimuli_store.tools.whole import whole


@dataclass(frozen=True, kw_only=True, repr=False)
class Profile:
    """Measured times of a model for an image, in seconds, and each operation's share.

    Parameters
    ----------
    forward_s
        Time of the output.
    gradient_s
        Time of the output and its gradient for the image, as in one evaluation of synthesis.
    operations
        Share of each torch operation in `gradient_s`, the longest first.

    Examples
    --------
    >>> print(Profile(forward_s=0.001, gradient_s=0.004, operations={"conv2d": 0.75, "add": 0.25}))
    output 1.00 ms, output and gradient 4.00 ms (250 evaluations a second)
      75.0 %  conv2d
      25.0 %  add
    """

    forward_s: float
    gradient_s: float
    operations: Mapping[str, float]

    def __repr__(self) -> str:
        return f"Profile({str(self).splitlines()[0]})"

    def _repr_html_(self) -> str:
        rows = [(name, f"{share:.1%}") for name, share in self.operations.items()]
        return f"<div>{html.paragraph(repr(self))}{html.table(('operation', 'share'), rows)}</div>"

    def __str__(self) -> str:
        first = (
            f"output {self.forward_s * 1e3:.2f} ms, output and gradient {self.gradient_s * 1e3:.2f} ms "
            f"({1 / self.gradient_s:.3g} evaluations a second)"
        )
        rows = [f"  {100 * share:4.1f} %  {name}" for name, share in self.operations.items()]
        return "\n".join([first, *rows])


def profile(model: nn.Module, image: Tensor, *, repeats: int = 5) -> Profile:
    """Measure the time of a model's output and gradient for an image, and the share of each operation.

    Parameters
    ----------
    model
        Any model without learnable parameters.
    image
        Shape (batch, channel, height, width), on the device to measure.
    repeats
        Number of measurements, after one that does not count; the shortest time is returned.

    Raises
    ------
    InputError
        If the model does not take the image, or `repeats` is not a whole number of 1 or more.

    Examples
    --------
    >>> from stimsynth import Gaussian, images, remove_grad
    >>> found = profile(remove_grad(Gaussian(31)), images.load("camera", size=64))
    >>> 0 < found.forward_s, sum(found.operations.values()) < 1.0001
    (True, True)
    """
    image = kept_image(image, any_dims=True, complex_too=True, order=MODEL_FIRST)
    repeats = whole(repeats, "repeats", 1)
    checked_output(model, image, otherwise=torch.full_like(image, 0.5))

    def output() -> None:
        with torch.no_grad():
            model(image)

    def gradient() -> None:
        asking = image.detach().clone().requires_grad_(True)
        model(asking).abs().sum().backward()

    return Profile(
        forward_s=_shortest(output, image.device, repeats),
        gradient_s=_shortest(gradient, image.device, repeats),
        operations=_shares(gradient, image.device),
    )


def _shortest(work: Callable[[], None], device: torch.device, repeats: int) -> float:
    seconds = []
    for _ in range(max(repeats, 1) + 1):
        begun = time.perf_counter()
        work()
        _wait(device)
        seconds.append(time.perf_counter() - begun)
    return min(seconds[1:])


def _shares(work: Callable[[], None], device: torch.device, most: int = 8) -> dict[str, float]:
    on_gpu = device.type == "cuda"
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * on_gpu
    with torch_profile(activities=activities, acc_events=True) as recorder:
        work()
        _wait(device)
    spent = {
        event.key: float(event.self_device_time_total if on_gpu else event.self_cpu_time_total)
        for event in recorder.key_averages()
    }
    total = sum(spent.values())
    longest = sorted(spent, key=lambda key: -spent[key])[:most]
    return {key: spent[key] / total for key in longest if spent[key] > 0}


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
