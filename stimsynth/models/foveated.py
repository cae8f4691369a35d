"""Foveated models: statistics averaged in windows that grow with distance from fixation.

The simplest model averages pixels ("foveated pixel intensity"); the others average oriented energy, as a
model of V1, or texture statistics, as Freeman & Simoncelli (2011) propose for V2.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from stimsynth.models.pooled_statistics import STATISTICS, Named, View
from stimsynth.numerics.numbers import real_number
from stimsynth.transforms.log_polar import LogPolar
from stimsynth.validate.gates import two_numbers
from stimsynth.validate.images import image_size, real_images, unbatched_too
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.whole import whole


class FoveatedPooling(nn.Module):
    r"""Foveated model: statistics of an image in log-polar windows that grow with distance from fixation.

    Two images with equal outputs can differ in everything that the windows average out. The larger
    `scaling`, the more that is: metamer experiments vary `scaling` to find the value at which people begin
    to see the difference, the *critical scaling* of a statistic. The output contains the pixels in the
    fovea unchanged, so metamers keep them. Windows are described in
    `stimsynth.transforms.log_polar.LogPolar`; on coarser scales of the pyramid the same windows are
    sampled on the scale's grid.

    A plan names `scaling` as the level and gives the other parameters::

        [models.fovea]
        use = "FoveatedPooling"
        params = { statistics = "energy", ppd = 32.0, min_ecc = 0.5 }
        [[sets]]
        kind = "metamer"
        model = "fovea"
        level = { scaling = [0.25, 0.5, 1.0] }
        seeds = [0, 1]

    Parameters
    ----------
    image_shape
        (height, width) of the images, so that arguments are checked at construction; None for any.
    statistics
        ``"luminance"``: means of pixels. ``"energy"``: also the root of the mean energy at each scale and
        orientation of a complex steerable pyramid, and of its high-pass residual. ``"texture"``: means,
        standard deviations, skews and kurtoses of pixels; means and standard deviations of the magnitudes
        of bands, and their correlations across space, orientations and scales; correlations of real parts
        across scales with phases doubled.
    ppd
        Pixels per degree of visual angle; it determines which pixels are in the fovea.
    scaling
        Radial width of a window at half its height, divided by the eccentricity of its centre. Freeman &
        Simoncelli (2011) report critical values near 0.25 for energies and 0.5 for textures.
    min_ecc, max_ecc
        Radius of the fovea, and outer limit of the rings of windows, in degrees; `max_ecc` None for the
        most distant pixel. The outermost ring contains everything beyond.
    fixation
        (row, column) in pixels, where (0, 0) is the centre of the first pixel; None for the image's centre.
    window_type
        ``"raised_cosine"`` or ``"gaussian"``.
    aspect
        Ratio of radial to tangential width of windows, as close as a whole number of windows allows.
    n_scales, n_orientations
        Numbers of scales and orientations of the pyramid, for energies and textures.
    spatial_corr_width
        Side of the neighbourhood, an odd number of samples, for autocorrelations of magnitudes, for
        textures.

    Raises
    ------
    InputError
        If an argument is out of range, or (in `forward`) does not fit the image.

    References
    ----------
    J. Freeman & E. P. Simoncelli (2011), "Metamers of the ventral stream", Nature Neuroscience 14,
    1195–1201. T. S. A. Wallis et al. (2019), "Image content is more important than Bouma's Law for scene
    metamers", eLife 8, e42512, on how such models fare with natural scenes.

    Examples
    --------
    >>> model = FoveatedPooling(statistics="energy", ppd=16, scaling=0.5, n_scales=3)
    >>> {name: tuple(value.shape) for name, value in model.named(torch.rand(1, 1, 64, 64)).items()}
    ... # doctest: +ELLIPSIS
    {'fovea': (1, 1, 208), 'mean': (1, 1, 75), 'rms_highpass': (1, 1, 75), 'energy_0': (1, 1, 4, 75), ...}
    """

    def __init__(
        self,
        image_shape: Sequence[int] | None = None,
        statistics: str = "luminance",
        *,
        ppd: float,
        scaling: float = 0.5,
        min_ecc: float = 0.5,
        max_ecc: float | None = None,
        fixation: Sequence[float] | None = None,
        window_type: str = "raised_cosine",
        aspect: float = 2.0,
        n_scales: int = 4,
        n_orientations: int = 4,
        spatial_corr_width: int = 7,
    ) -> None:
        super().__init__()
        if not isinstance(statistics, str) or statistics not in STATISTICS:
            raise unknown_name("statistics", statistics, list(STATISTICS))
        self.n_scales = whole(n_scales, "n_scales", 1)
        self.n_orientations = whole(n_orientations, "n_orientations", 2)
        self.spatial_corr_width = whole(spatial_corr_width, "spatial_corr_width", 1)
        if not self.spatial_corr_width % 2:
            raise InputError(f"spatial_corr_width must be odd; not {spatial_corr_width}")
        self.image_shape = None if image_shape is None else image_size(image_shape, 1)
        self.statistics = statistics
        self.ppd = real_number(ppd, "ppd")
        self.scaling = real_number(scaling, "scaling")
        self.min_ecc = real_number(min_ecc, "min_ecc")
        self.max_ecc = None if max_ecc is None else real_number(max_ecc, "max_ecc")
        self.fixation = (
            None if fixation is None else two_numbers(fixation, "fixation, (row, column),")
        )
        self.window_type = window_type
        self.aspect = real_number(aspect, "aspect")
        if self.image_shape is not None:
            self._fitted(self.image_shape)

    def windows(self, image_shape: Sequence[int]) -> LogPolar:
        """Return the layout of the windows on an image of (height, width)."""
        return LogPolar(
            image_shape=image_size(image_shape, 1),
            ppd=self.ppd,
            scaling=self.scaling,
            min_ecc=self.min_ecc,
            max_ecc=self.max_ecc,
            fixation=self.fixation,
            window_type=self.window_type,
            aspect=self.aspect,
        )

    def named(self, x: Tensor) -> Named:
        """Return the statistics of images (b, c, h, w) by name, each (b, c, …, windows).

        All are in units of the image (see `stimsynth.models.pooled_statistics`). A name ends in its scale.
        """
        real_images(x, "FoveatedPooling")
        half = self.spatial_corr_width // 2
        view = View(
            image=x,
            layout=self._fitted((x.shape[2], x.shape[3])),
            n_scales=self.n_scales,
            n_orientations=self.n_orientations,
            # One of every two opposite steps: an autocorrelation is even.
            neighbours=[
                (down, right)
                for down in range(half + 1)
                for right in range(-half, half + 1)
                if (down, right) > (0, 0)
            ],
        )
        return {k: v for function in STATISTICS[self.statistics] for k, v in function(view).items()}

    @unbatched_too
    def forward(self, x: Tensor) -> Tensor:
        """Return all statistics of images (b, c, h, w), shape (b, c, n), in the order of `named`."""
        return torch.cat([value.flatten(2) for value in self.named(x).values()], dim=2)

    def _fitted(self, image_shape: tuple[int, int]) -> LogPolar:
        if self.image_shape not in (None, image_shape):
            raise InputError(
                f"this model was made for images of {self.image_shape}; not {image_shape}"
            )
        most = max(0, int(math.log2(min(image_shape))) - 2)
        if self.statistics != "luminance" and self.n_scales > most:
            raise InputError(
                f"n_scales must be at most {most} for an image of {image_shape[0]}x{image_shape[1]}; "
                f"not {self.n_scales}"
            )
        return self.windows(image_shape)
