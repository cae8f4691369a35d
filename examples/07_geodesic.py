"""
A geodesic between two images
=============================

The straight way from one image to another is a fade. For a model this fade is a detour, and the straightest
way its *geodesic* (Hénaff and Simoncelli, 2016). If the model sees as we do, its geodesic looks natural.
"""

# %%
# From a photograph to the same one, moved by four pixels. The model averages energy in small windows.
import torch

from stimsynth import Geodesic, UniformPooling, images
from stimsynth.plots import imshow, plot_deviation_from_line

photo = images.load("camera", size=64)
movement = torch.cat([photo.roll(shift, dims=-1) for shift in range(5)])
path = Geodesic(movement[:1], movement[-1:], UniformPooling(window_px=4), n_steps=4)
path.synthesize(max_iter=300)
path

# %%
# To the model the geodesic is straighter than the fade, and than the true movement.
plot_deviation_from_line(path, movement)

# %%
# Half way. The geodesic is sharper than the fade, but no camera ever saw it: this model does not describe
# what makes a movement look natural.
half = [path.pixelfade[2:3], path.geodesic[2:3], movement[2:3]]
imshow(half, vrange=(0, 1), zoom=3, title=["fade", "geodesic", "movement"])
# sphinx_gallery_thumbnail_number = -1
