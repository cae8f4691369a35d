"""Bank files: format, writing, opening, checking."""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from stimuli_store.bank.describe import describe_reference
    from stimuli_store.bank.format import BankHeader, Colour
    from stimuli_store.bank.publish import publish_bank
    from stimuli_store.bank.reading import Bank, open_bank
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
