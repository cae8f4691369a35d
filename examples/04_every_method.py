"""Every method once: textures, distortions, competitions, geodesics, and the image that one unit likes best.

All of it ends on the 8-bit grid of a screen, where its promise is measured again.
Run it: python examples/04_every_method.py [FOLDER]
"""

import sys
from pathlib import Path

import torch
from torch import nn

from stimsynth import (
    Eigendistortion,
    Geodesic,
    LuminanceGainControl,
    MADCompetition,
    Metamer,
    OptimizedImage,
    PortillaSimoncelli,
    balanced_by_sensitivity,
    features,
    images,
    mad_set,
    metrics,
    remove_grad,
)
from stimsynth.engine.lbfgs import LBFGS

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
folder.mkdir(exist_ok=True)
photo, grass = images.load("camera", size=64), images.load("grass", size=64)
retina = remove_grad(LuminanceGainControl(15, pretrained=False))

# A texture with the statistics of grass. Balanced, its 500 statistics are matched in few steps.
statistics = PortillaSimoncelli((64, 64), n_scales=3)
texture = Metamer(grass, balanced_by_sensitivity(statistics, grass), seed=1)
texture.synthesize(60)
print("texture:", texture.quality()[0])
shown = texture.on_grid()
print("  on the screen:", {name: f"{value:.1e}" for name, value in shown.figures[0].items()})
images.save(folder / "texture.png", shown.images[0])

# What a front end of the retina sees most, and least: both ends of one spectrum, with certificates.
eigen = Eigendistortion(photo, retina)
eigen.synthesize()
print("distortions:", eigen.quality()[0])
for name, image in zip(("most", "least"), eigen.on_grid(alpha=2.0, seed=1).images, strict=True):
    images.save(folder / f"{name}_noticeable.png", image)


# Four images that set SSIM against mean squared error, at one level of noise.
def dissimilarity(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return 1 - metrics.ssim(x, y)


(level,) = mad_set(photo, dissimilarity, metrics.mse, noise_levels=[0.08], seed=1, max_iter=60)
for name, member in level.members.items():
    ssim, mse = 1 - float(member.metric_1), float(member.metric_2)
    print(f"competition, {name}: SSIM {ssim:.4f}, MSE {mse:.6f}, drift {float(member.drift):.0e}")
    images.save(folder / f"{name}.png", member.image[0])
mad = MADCompetition(photo, dissimilarity, metrics.mse, "max", initial_noise=0.08, seed=1)
mad.synthesize(60)
print("  on the screen:", {k: f"{v:.6f}" for k, v in mad.on_grid().figures[0].items()})

# The shortest way from a photograph to its shifted self, as the retina goes.
path = Geodesic(photo, photo.roll(4, dims=-1), retina, n_steps=8)
path.synthesize(60, optimizer=LBFGS(bounds=(0, 1)), stop_iters_to_check=10)
print("geodesic:", path.quality()[0])

# What one unit of a network likes best, among images of one mean and one contrast.
torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(1, 8, 7), nn.Softplus(), nn.Conv2d(8, 4, 7)).eval()
layer = features(remove_grad(net), "2")
best = OptimizedImage(
    0.5 + 0.1 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(2)),
    lambda image: layer(image)[0, 0, 25, 25],
    held={"mean": torch.mean, "contrast": torch.std},
)
best.synthesize(60)
print("best image for a unit:", best.quality()[0])
images.save(folder / "best_for_unit.png", best.image[0])
print(f"pictures are in {folder.resolve()}")
