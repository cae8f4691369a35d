"""Experiments: designs, courses of trials, sessions, and the booths (real or simulated) that run them."""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from experiments.booth.psychopy_booth import open_booth
    from experiments.comparisons import COMPARISONS
    from experiments.course.constant import course_of
    from experiments.course.course import Course
    from experiments.design import BankChoice, Design, DesignFile, design_from, read_design, seed_of
    from experiments.ports import Booth, Interrupted, Observer, Quit
    from experiments.sampling import Sampling
    from experiments.scene import check_scenes, slides_of
    from experiments.screen import Screen
    from experiments.session import run_session
    from experiments.session_plan import SessionPlan, journal_path, plan_session
    from experiments.simulated import SimulatedBooth, SimulatedPerson
    from experiments.task_choice import TaskChoice
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
