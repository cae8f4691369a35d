"""Observers: d' and proportion correct, decision rules of tasks, simulated observers."""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from analysis.observers.simulated.model_observer import Answer
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
