"""
Maximum differentiation
=======================

Two measures of image quality compete (Wang and Simoncelli, 2008). From a noisy image each is driven to its
least and its largest value, while the other is held. If people see a large difference between two images
that a measure calls equal, this measure is wrong.
"""

# %%
# Structural similarity against mean squared error, at two levels of noise.
from stimsynth import images, mad_set, metrics
from stimsynth.plots import display_mad_set

photo = images.load("camera", size=64)


def dissimilarity(image, other):
    """Return 1 − SSIM: 0 for equal images, as it must be for a distance."""
    return 1 - metrics.ssim(image, other)


levels = mad_set(photo, dissimilarity, metrics.mse, noise_levels=[0.04, 0.1], seed=1, max_iter=40)

# %%
# By what share of its value the held measure has drifted:
{name: f"{float(member.drift):.0e}" for name, member in levels[0].members.items()}

# %%
# The two images with the same MSE look unlike each other, which speaks against MSE. So do the two with the
# same SSIM, which speaks against SSIM. That with the best SSIM has its error at the border: SSIM compares
# windows that lie wholly in the image, and hardly counts the pixels there; with ``pad="reflect"`` it does.
display_mad_set(levels, photo, metric_1_name="1 − SSIM", metric_2_name="MSE", zoom=2, vrange=(0, 1))
