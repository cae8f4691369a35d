"""A small plan with every kind of stimulus, models of one's own, and files of somebody else."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

HELPER = """
from torch import nn


class Square(nn.Module):
    def forward(self, image):
        return image * image
"""
MODELS = '''
"""Two models of one's own."""

import helper
import torch
from torch import nn


def retina(sigma: float = 1.5) -> nn.Module:
    from stimsynth import Gaussian

    return nn.Sequential(Gaussian(9, std=sigma), helper.Square())


def network() -> nn.Module:
    made = nn.Sequential(nn.Conv2d(3, 4, 5), nn.ReLU(), nn.Conv2d(4, 4, 5))
    generator = torch.Generator().manual_seed(3)
    for weights in made.parameters():
        weights.data.copy_(torch.randn(weights.shape, generator=generator) / 5)
    return made
'''
MEAN, STD = 0.5, 0.25
SETS: dict[str, dict[str, Any]] = {
    "metamer": {"model": "pool", "level": {"window_px": [8]}, "seeds": [0, 1], "max_iter": 15},
    "mad": {"metrics": ["ssim", "deep"], "level": {"noise": [0.04]}, "max_iter": 8},
    "eigendistortion": {"model": "mine", "level": {"amplitude": [0.5, 1]}, "signs": ["+", "-"]},
    "geodesic": {"model": "mine", "ends": [["camera", "grass"]], "n_steps": 4, "max_iter": 5},
    "optimized": {"model": "deep", "unit": [2], "max_iter": 5},
    "noise": {"level": {"rms": [0.05]}, "spectrum": "pink"},
    "external": {"files": "others/*.png", "license": "CC-BY-4.0", "target": "camera"},
}


def plan_of_every_kind(folder: Path) -> dict[str, Any]:
    """Write models and pictures into a folder, and return the plan that needs them."""
    (folder / "helper.py").write_text(HELPER)
    (folder / "models.py").write_text(MODELS)
    (folder / "others").mkdir(exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "others" / "theirs.png")
    return {
        "bank": {"name": "study", "version": "1.0.0", "license": "CC0-1.0"},
        "targets": {"images": ["camera", "grass"], "size": 32},
        "models": {
            "pool": {"use": "UniformPooling"},
            "mine": {"use": "models.py:retina", "params": {"sigma": 1.25}},
            "deep": {
                "use": "models.py:network",
                "layer": "1",
                "channels": 3,
                "mean": [MEAN] * 3,
                "std": [STD] * 3,
            },
        },
        "sets": [{"kind": kind, **settings} for kind, settings in SETS.items()],
        "predict": {"models": ["mine", "deep", "ssim", "mse"]},
    }
