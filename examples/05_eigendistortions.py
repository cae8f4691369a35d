"""
Eigendistortions
================

Of all changes of one size to an image, which does a model see most, and which least? They are eigenvectors
of the model's Fisher information at that image (Berardino et al., 2017). People say whether they agree.
"""

# %%
# Two front ends of the retina: both subtract the surround from the centre, the second also divides by the
# local luminance.
import torch

from stimsynth import Eigendistortion, LinearNonlinear, LuminanceGainControl, images, remove_grad
from stimsynth.plots import display_eigendistortion_all, imshow

photo = images.load("camera", size=96)
linear = Eigendistortion(photo, remove_grad(LinearNonlinear(15, pretrained=False)), seed=0)
gain = Eigendistortion(photo, remove_grad(LuminanceGainControl(15, pretrained=False)), seed=0)
linear.synthesize()
gain.synthesize()

# %%
# The threshold for the change that the model sees least, as a multiple of that for the one it sees most:
[f"{float(torch.sqrt(e.eigenvalues[0] / e.eigenvalues[-1])):.0f}" for e in (linear, gain)]

# %%
# Most and least visible for the second model: added to the photograph above, alone below.
display_eigendistortion_all(gain, alpha=4.0, zoom=2)

# %%
# What is most visible to each of the two, with the same energy. Gain control, as in Weber's law, moves it
# into the dark coat. Whether people see it better there is an experiment of a few minutes.
changed = [(photo + 4 * e.eigendistortions[0]).clamp(0, 1) for e in (linear, gain)]
titles = ["photograph", "subtraction only", "with gain control"]
imshow([photo, *changed], vrange=(0, 1), zoom=2, title=titles)
# sphinx_gallery_thumbnail_number = -1
