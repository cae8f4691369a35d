"""Kinds of stimuli that come with the package, one file for each; importing this registers them."""

from stimsynth.banks.recipes import (
    eigendistortion,
    external,
    geodesic,
    mad,
    metamer,
    noise,
    optimized,
)

__all__ = ["eigendistortion", "external", "geodesic", "mad", "metamer", "noise", "optimized"]
