"""
What models discard
===================

Metamers of four models to one photograph, from one start. The more a model discards, the less its metamers
resemble the photograph.
"""

# %%
# A retina, which divides by local luminance; averages of energy in small and in large windows; and the
# statistics of a texture, one set for the whole image.
from stimsynth import (
    LuminanceGainControl,
    Metamer,
    PortillaSimoncelli,
    UniformPooling,
    balanced_by_sensitivity,
    images,
    metrics,
    remove_grad,
)
from stimsynth.plots import imshow, plot_representation

target = images.load("camera", size=64)
start = images.uniform_noise(target.shape, seed=3)
statistics = PortillaSimoncelli((64, 64), n_scales=3)
models = {
    "retina": remove_grad(LuminanceGainControl(9, pretrained=False)),
    "windows of 8 px": UniformPooling(window_px=8),
    "windows of 16 px": UniformPooling(window_px=16),
    "texture": balanced_by_sensitivity(statistics, target),
}

# %%
# What the retina tells the brain about the photograph, and what is left when all is averaged.
plot_representation(models["retina"], models["retina"](target))

# %%
plot_representation(statistics, statistics(target), figsize=(10, 8))

# %%
# One metamer for each model.
found = {}
for name, model in models.items():
    metamer = Metamer(target, model, initial_image=start)
    metamer.synthesize(max_iter=60)
    found[name] = metamer.metamer

# %%
# Above each is its similarity to the photograph (SSIM, 1 for equal images). Whether people agree with this
# number, or with one of the models, only an experiment can tell.
titles = [f"{name}\nSSIM {float(metrics.ssim(target, x)):.2f}" for name, x in found.items()]
imshow([target, *found.values()], vrange=(0, 1), zoom=2, title=["photograph", *titles])
# sphinx_gallery_thumbnail_number = -1
