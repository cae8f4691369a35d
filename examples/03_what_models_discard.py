"""What two linear models discard: wavelengths (three cone classes) and detail (foveated windows).

Run it: python examples/03_what_models_discard.py [FOLDER]
"""

import sys
from pathlib import Path

import torch

from stimsynth import Metamer, images
from stimsynth.methods.linear_metamer import linear_metamer
from stimsynth.models import FoveatedPooling

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
folder.mkdir(exist_ok=True)

# A light of 61 numbers (400 to 700 nm) is matched by three monochromatic primaries: three bell-shaped
# cone sensitivities cannot tell the two apart. No optimizer: linear algebra.
wavelength = torch.arange(400, 701, 5, dtype=torch.float64)
cones = torch.exp(-((wavelength - torch.tensor([[440.0], [535.0], [565.0]])) ** 2) / (2 * 40**2))
light = torch.rand(61, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
primaries = (wavelength[:, None] == torch.tensor([450, 535, 620])).double()
match = linear_metamer(cones, light, primaries=primaries)
print("cone responses to the light:", *(f"{r:.4f}" for r in cones @ light))
print("cone responses to the match:", *(f"{r:.4f}" for r in cones @ match))
print(f"yet {int((match != 0).sum())} numbers of 61 are not zero")

# Mean luminance in windows that grow with eccentricity: a photograph, a smooth image and noise can have
# the same. Here the target spans 8 degrees of visual angle, and is fixated in its middle.
target = images.load("camera", size=128)
model = FoveatedPooling(ppd=16, scaling=0.5)
starts = torch.cat([torch.full_like(target, 0.5), images.uniform_noise(target.shape, seed=1)])
metamer = Metamer(target.repeat(2, 1, 1, 1), model, initial_image=starts)
metamer.synthesize(max_iter=100)
means = model(torch.cat([target, metamer.metamer]))
print("largest difference of a window's mean:", f"{float((means[1:] - means[0]).abs().max()):.1e}")
for name, image in zip(("target", "smooth", "noise"), [target[0], *metamer.metamer], strict=True):
    images.save(folder / f"foveated_{name}.png", image)
print(f"pictures are in {folder.resolve()}")
