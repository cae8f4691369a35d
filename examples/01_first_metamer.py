"""
A first metamer
===============

A metamer is an image that a model cannot tell from another, though you may. What the two share is what the
model sees; what differs is what it discards.
"""

# %%
# The target is a photograph with values in [0, 1]. The model averages luminance and oriented energy, as
# complex cells of the visual cortex do, in windows of 16 pixels.
import torch

from stimsynth import Metamer, UniformPooling, images
from stimsynth.plots import imshow, plot_synthesis_status

target = images.load("camera", size=128)
model = UniformPooling(window_px=16)

# %%
# The start decides which of the many metamers is found. Here are two, synthesized as one batch: noise, and
# another photograph. Each has its own search and its own end.
starts = torch.cat([images.uniform_noise(target.shape, seed=0), images.load("coffee", size=128)])
metamer = Metamer(target.repeat(2, 1, 1, 1), model, initial_image=starts)
metamer.synthesize(max_iter=150)
metamer

# %%
# The first one: the metamer, the loss, and what is left of the difference to the model.
plot_synthesis_status(metamer)

# %%
# Both metamers, each to the right of its start. To the model, all but the starts are the same picture.
noise, coffee = starts.split(1)
from_noise, from_coffee = metamer.metamer.split(1)
titles = ["photograph", "start: noise", "its metamer", "start: coffee", "its metamer"]
imshow([target, noise, from_noise, coffee, from_coffee], vrange=(0, 1), zoom=1, title=titles)
# sphinx_gallery_thumbnail_number = -1
