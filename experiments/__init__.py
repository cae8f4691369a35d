"""Experiments: designs, trials, sessions, and the booths (real or simulated) that run them."""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from experiments.booth.psychopy_booth import open_booth
    from experiments.design import BankChoice, Design, Keys, Sampling, Screen, load_design, seed_of
    from experiments.order import make_trials
    from experiments.ports import Booth, Interrupted, Observer, Quit, Responder
    from experiments.session import run_session
    from experiments.session_plan import SessionPlan, journal_path, plan_session
    from experiments.simulated import SimulatedBooth, SimulatedPerson
    from experiments.tasks.abx import AbxTask
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
