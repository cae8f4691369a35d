"""A first metamer: an image that a model cannot tell from a photograph, though you can.

Run it: python examples/01_first_metamer.py [FOLDER]
"""

import sys
from pathlib import Path

import torch

from stimsynth import Metamer, UniformPooling, images

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
folder.mkdir(exist_ok=True)

# A photograph (grey, 1 x 1 x 128 x 128, values from 0 to 1), and a model that averages luminance and
# oriented energy in windows of 16 pixels. What it averages away it cannot see.
target = images.load("camera", size=128)
model = UniformPooling(window_px=16)

# Two metamers at once, from two noise images: every item of a batch is a problem of its own.
metamer = Metamer(target.repeat(2, 1, 1, 1), model, seed=0)
metamer.synthesize(max_iter=100)

energy = metamer.target_representation.square().mean()
for item, status in enumerate(metamer.status):
    start, end = (float(metamer.losses[i, item] / energy) for i in (0, -1))
    print(f"metamer {item}: loss {start:.1e} -> {end:.1e} of the target's energy; {status.value}")
print(f"pixels stay in [{float(metamer.metamer.min()):.2f}, {float(metamer.metamer.max()):.2f}]")

difference = (metamer.metamer - target).square().mean(dim=(1, 2, 3)).sqrt()
print("yet they differ from the photograph by", *(f"{d:.3f}" for d in difference.tolist()), "(rms)")
assert torch.all(metamer.losses[-1] < 1e-3 * metamer.losses[0])

images.save(folder / "target.png", target)
for item, image in enumerate(metamer.metamer):
    images.save(folder / f"metamer_{item}.png", image)
print(f"pictures are in {folder.resolve()}")
