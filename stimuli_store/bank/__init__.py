"""Bank files: format, writing, opening, checking."""

from stimuli_store.bank.reading import Bank, open_bank

__all__ = ["Bank", "open_bank"]
