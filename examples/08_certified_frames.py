"""
Frames with certificates
========================

A screen has 256 grey levels. Rounding to them adds noise that the model sees, and the image is no metamer any
more. Therefore a synthesis is finished on the levels, and what is stored was measured as it will be shown.
"""

# %%
# A metamer whose loss in floating point is as good as zero.
import torch

from stimsynth import Metamer, UniformPooling, images
from stimsynth.plots import imshow

target = images.load("camera", size=96)
metamer = Metamer(target, UniformPooling(window_px=24), seed=0)
metamer.synthesize(max_iter=50)
metamer

# %%
# Distances from the target to the model: in floating point, rounded to 256 levels, and finished on them. A
# bank keeps these figures with every frame, as its *certificate*.
frame = metamer.on_grid()
frame.figures[0]

# %%
# The eye sees no difference between the image and the frame.
titles = ["photograph", "metamer", "finished on 256 levels"]
imshow([target, metamer.metamer, frame.images], vrange=(0, 1), zoom=2, title=titles)

# %%
# Yet these pixels went up or down by a level or two, to undo what rounding did to the model's averages.
steps = 255 * frame.images - torch.round(255 * metamer.metamer)
imshow(torch.round(steps), vrange="auto0", zoom=3, title="levels up (red) and down (blue)")
# sphinx_gallery_thumbnail_number = -1
