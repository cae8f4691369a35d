"""Psychophysics with synthesized stimuli: make them, keep them, show them, analyse the answers.

Every name that a study needs can be had from here, whichever of the four packages it is in. Names are
loaded when first used, so a machine without torch can import this package.
"""

from typing import TYPE_CHECKING

import stimsynth.beside  # first: the other packages are found by it
from stimsynth.coming_from import moved
from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from analysis import *
    from analysis.plots import *
    from experiments import *
    from stimsynth import (
        convergence,
        images,
        losses,
        metrics,
        models,
        plots,
        transforms,
        validate,
    )
    from stimsynth.banks.build import build
    from stimsynth.banks.plan import read_plan
    from stimsynth.methods.base.saving import LoadWarning, examine_saved_synthesis
    from stimsynth.methods.base.synthesis import OptimizedSynthesis
    from stimsynth.methods.coarse_to_fine import MetamerCTF
    from stimsynth.methods.eigen.fisher import (
        fisher_info_matrix_eigenvalue,
        fisher_info_matrix_vector_product,
    )
    from stimsynth.methods.eigendistortion import Eigendistortion
    from stimsynth.methods.geodesic import Geodesic
    from stimsynth.methods.linear_metamer import linear_metamer
    from stimsynth.methods.mad import MADCompetition
    from stimsynth.methods.mad_set import mad_set
    from stimsynth.methods.metamer import Metamer, MetamerObjective
    from stimsynth.methods.optimized_image import OptimizedImage
    from stimsynth.methods.simple_metamer import SimpleMetamer
    from stimsynth.models import *
    from stimsynth.profiling import Profile, profile
    from stimsynth.seeding import set_seed
    from stimsynth.validate import *
    from stimuli_store import *
    from stimuli_store.errors import InputError
    from stimuli_store.tools.environment import environment
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, elsewhere=moved)
