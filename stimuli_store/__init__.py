"""Data shared by all machines: specs, stimuli, trials, predictions, banks, journals."""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from stimuli_store.bank.reading import Bank, open_bank
    from stimuli_store.errors import StimsynthError
    from stimuli_store.journal import Journal, read_session
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
