"""
Foveated windows
================

Toward the edge of the visual field we see less detail. This model averages oriented energy in windows that
grow with the distance from fixation: *scaling* is their width divided by that distance.
"""

# %%
# The picture spans 8 degrees of visual angle, 16 pixels per degree, and is fixated in its middle.
from stimsynth import FoveatedPooling, Metamer, images
from stimsynth.plots import imshow, plot_loss

target = images.load("camera", size=128)
scalings = [0.25, 0.5, 1.0]

# %%
# One metamer for each scaling, all from the same noise. Pixels in the fovea are kept.
metamers = []
for scaling in scalings:
    model = FoveatedPooling(target.shape[-2:], "energy", ppd=16, scaling=scaling, n_scales=3)
    metamers.append(Metamer(target, model, seed=1))
    metamers[-1].synthesize(max_iter=60)

# %%
plot_loss(metamers[0])

# %%
# Fixate the middle of each picture from near by. The smaller the scaling, the less you notice. The largest
# scaling at which people notice nothing, the *critical scaling*, tells how large the windows of our own
# visual system are (Freeman & Simoncelli, 2011).
titles = ["photograph", *(f"scaling {scaling:g}" for scaling in scalings)]
imshow([target, *(m.metamer for m in metamers)], vrange=(0, 1), zoom=2, title=titles)
# sphinx_gallery_thumbnail_number = -1
