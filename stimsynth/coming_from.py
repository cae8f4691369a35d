"""Names that users of plenoptic know, with the places where they are here.

Most names are the same and live elsewhere; `NEW_NAMES` has the others. ``stimsynth.tools.make_disk`` is an
error whose message is the answer, and so is ``from stimsynth.tools import make_disk``.
"""

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

_WHOLE = "stimsynth"
_MODELS, _TRANSFORMS = "stimsynth.models", "stimsynth.transforms"
_IMAGES, _PLOTS, _LOSSES = "stimsynth.images", "stimsynth.plots", "stimsynth.losses"
_METRICS, _CHECKS, _STOPS = "stimsynth.metrics", "stimsynth.validate", "stimsynth.convergence"
_DERIVATIVES = "stimsynth.methods.eigen.fisher"
_EVERYWHERE = (_TRANSFORMS, _IMAGES, _LOSSES, _METRICS, _PLOTS, _CHECKS, _STOPS, _DERIVATIVES)

#: Names of plenoptic's modules, of version 1 and 2, each with where its contents are most likely here.
PEER_SPACES: dict[str, tuple[str, ...]] = {
    "data": (_IMAGES,),
    "external": (_PLOTS,),
    "io": (_WHOLE,),
    "loss": (_LOSSES,),
    "metric": (_METRICS,),
    "plot": (_PLOTS,),
    "process": (_TRANSFORMS, _METRICS),
    "regularize": (_LOSSES,),
    "simul": (_MODELS, _TRANSFORMS),
    "simulate": (_MODELS, _TRANSFORMS),
    "synth": (_WHOLE, _PLOTS, _DERIVATIVES),
    "synthesize": (_WHOLE, _PLOTS, _DERIVATIVES),
    "tools": (_TRANSFORMS, _IMAGES, _LOSSES, _PLOTS, _CHECKS, _STOPS, _WHOLE),
}
#: Modules inside these.
_INNER = """
autodiff canonical_computations classes conv convergence data data_utils display eigendistortion
external fetch filters frontend geodesic io laplacian_pyramid mad_competition metamer model_metric
models naive non_linearities optim perceptual_distance portilla_simoncelli regularization signal
simple_metamer stats steerable_pyramid_freq straightness synthesis validate
"""
_PHOTOGRAPHS = (
    'the photographs here are others: stimsynth.images.load("camera"), and bundled() lists all'
)
#: Names that changed, each with what to write here.
NEW_NAMES = {
    "DOWNLOADABLE_FILES": "stimsynth.images.DOWNLOADS",
    "DeepNetFeatures": "stimsynth.features",
    "Synthesis": "stimsynth.OptimizedSynthesis",
    "calculate_jerkiness": "stimsynth.Geodesic.calculate_jerkiness",
    "disk": "stimsynth.transforms.make_disk",
    "eigendistortion_imshow_all": "stimsynth.plots.display_eigendistortion_all",
    "histogram": "stimsynth.plots.histogram",
    "mad_imshow_all": "stimsynth.plots.display_mad_image_all",
    "mad_loss_all": "stimsynth.plots.plot_loss_all",
    "metamer_representation_error": "stimsynth.plots.plot_representation_error",
    "model_metric": "stimsynth.metrics.model_distance",
    "model_metric_factory": "stimsynth.metrics.model_distance",
    "stem_plot": "stimsynth.plots.clean_stem_plot",
    "synthesis_animate": "stimsynth.plots.animate",
    "synthesis_histogram": "stimsynth.plots.plot_pixel_values",
    "synthesis_imshow": "stimsynth.plots.display_image",
    "synthesis_loss": "stimsynth.plots.plot_loss",
    "synthesis_status": "stimsynth.plots.plot_synthesis_status",
    **dict.fromkeys(
        ("color_wheel", "curie", "einstein", "macaque", "parrot", "reptile_skin"), _PHOTOGRAPHS
    ),
}


class PeerModule(ModuleType):
    """Stand-in for a module of plenoptic: its names are errors that tell where they went."""

    __path__: list[str] = []  # noqa: RUF012 - a module with a path may have modules inside

    def __init__(self, words: str, homes: tuple[str, ...]) -> None:
        super().__init__(
            f"stimsynth.{words}", f"Names of plenoptic's {words}, with their new places."
        )
        self._words, self._homes = words, homes

    def __getattr__(self, name: str) -> "PeerModule":
        """Return a module inside this one; raise the error that tells where any other name is."""
        if name.startswith("_"):
            raise AttributeError(name)
        if name in _INNER.split():
            return PeerModule(f"{self._words}.{name}", self._homes)
        words = f"{self._words}.{name}"
        try:
            raise AttributeError(f"plenoptic's {words}: {new_place(name, self._homes)}")
        except LookupError:
            homes = ", ".join(self._homes)
            raise AttributeError(
                f"plenoptic's {words} is not here; what is here is in {homes}"
            ) from None

    def __repr__(self) -> str:
        return f"<names of plenoptic's {self._words}; here they are in {', '.join(self._homes)}>"


def moved(name: str) -> PeerModule | str:
    """Return the stand-in for a module of plenoptic, or our version; of another name, tell where it is.

    Raises
    ------
    AttributeError
        If a module of this package has the name, or it has changed.
    LookupError
        If it is nowhere.

    Examples
    --------
    >>> import stimsynth
    >>> stimsynth.tools.make_disk
    Traceback (most recent call last):
        ...
    AttributeError: plenoptic's tools.make_disk: here it is stimsynth.transforms.make_disk
    >>> stimsynth.ssim
    Traceback (most recent call last):
        ...
    AttributeError: stimsynth.ssim: here it is stimsynth.metrics.ssim
    """
    if name == "__version__":
        from stimuli_store.tools.environment import environment

        return environment()["stimsynth"]
    if name.startswith("_"):
        raise LookupError(name)
    if name in PEER_SPACES:
        return PeerModule(name, PEER_SPACES[name])
    raise AttributeError(f"stimsynth.{name}: {new_place(name, _EVERYWHERE)}")


def new_place(name: str, homes: tuple[str, ...]) -> str:
    """Return the words that tell where a name of plenoptic is here; `homes` are looked through first.

    Raises
    ------
    LookupError
        If there is no such name.
    """
    for home in _having(name, (*homes, *_EVERYWHERE, _WHOLE)):
        return f"here it is {home}.{name}"
    words = NEW_NAMES[name]
    return words if words == _PHOTOGRAPHS else f"here it is {words}"


def _having(name: str, homes: tuple[str, ...]) -> Iterator[str]:
    """Yield the modules that have a public name, of those that this machine can load."""
    for home in homes:
        try:
            module = import_module(home)
        except ImportError:
            continue
        if name in getattr(module, "__all__", dir(module)):
            yield home
