"""
Textures, coarse to fine
========================

Portilla and Simoncelli (2000) describe a texture by averages over the image: moments of its pixels, and
correlations of the responses of oriented filters. Noise that is given these averages looks like the texture.
"""

# %%
# A wall of bricks, and its statistics, group by group.
import torch

from stimsynth import MetamerCTF, PortillaSimoncelli, balanced_by_sensitivity, images
from stimsynth.plots import imshow, plot_loss, plot_representation

bricks = images.load("brick", size=256)[..., :128, :128]
statistics = PortillaSimoncelli((128, 128))
plot_representation(statistics, statistics(bricks), figsize=(10, 8))

# %%
# The start is noise with the mean and the contrast of the wall. Coarse scales are matched first; finer ones
# join when the loss falls by less than 5 % in 5 steps. Weights keep the groups of statistics in balance.
noise = torch.randn(bricks.shape, generator=torch.Generator().manual_seed(0))
start = (bricks.mean() + bricks.std() * noise).clamp(0, 1)
metamer = MetamerCTF(bricks, balanced_by_sensitivity(statistics, bricks), initial_image=start)
metamer.synthesize(
    max_iter=150, store_progress=25, change_scale_criterion=0.05, ctf_iters_to_check=5
)

# %%
# The loss jumps where a finer scale joins.
plot_loss(metamer)

# %%
# From noise to bricks. No brick is where it was, yet you would call it the same wall.
steps = [0, 25, 75, 150]
stages = [metamer.saved_metamer[step // 25] for step in steps]
titles = ["texture", *(f"after {step} steps" for step in steps)]
imshow([bricks, *stages], vrange=(0, 1), zoom=1, title=titles)
# sphinx_gallery_thumbnail_number = -1
