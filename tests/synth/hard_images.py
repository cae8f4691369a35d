"""Images that break careless formulas: nothing varies, or nearly nothing, or everything at once."""

import torch
from torch import Tensor

KINDS = ("zero", "constant", "step", "pixel", "checkerboard", "grating")


def hard_images(size: int = 32) -> dict[str, Tensor]:
    """Return the images by kind, each (1, 1, size, size) in float32."""
    step = torch.zeros(size, size)
    step[:, size // 2 :] = 1
    single = torch.zeros(size, size)
    single[size // 2, size // 2] = 1
    checker = (torch.arange(size)[:, None] + torch.arange(size)) % 2
    grating = 0.5 + 0.5 * torch.cos(torch.arange(size) * torch.pi / 4).expand(size, size)
    flat = (torch.zeros(size, size), torch.full((size, size), 0.5))
    images = (*flat, step, single, checker.float(), grating)
    return {kind: image[None, None] for kind, image in zip(KINDS, images, strict=True)}
