"""Observers: what an answer means, decision rules over a task, simulated people."""

from analysis.observers.model_observer import Answer

__all__ = ["Answer"]
