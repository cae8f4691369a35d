"""Data shared by all machines: specs, stimuli, trials, predictions, banks, journals."""

from stimuli_store.bank.reading import Bank, open_bank
from stimuli_store.errors import StimsynthError
from stimuli_store.journal import Journal, read_session

__all__ = ["Bank", "Journal", "StimsynthError", "open_bank", "read_session"]
