"""Data shared by all machines: specs, stimuli, trials, predictions, banks, journals."""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names
from stimuli_store.tools.own_packages import find_own_packages

if TYPE_CHECKING:
    from stimuli_store.bank.describe import describe_reference
    from stimuli_store.bank.diff import BankDiff, diff_banks
    from stimuli_store.bank.format import BankHeader, Colour
    from stimuli_store.bank.lineage import (
        add_stimuli,
        open_donor,
        replace_stimuli,
        retire_stimuli,
    )
    from stimuli_store.bank.publish import publish_bank
    from stimuli_store.bank.reading import Bank, open_bank
    from stimuli_store.errors import StimsynthError
    from stimuli_store.frames import Frame, dequantize, perturb, quantize
    from stimuli_store.journal import Journal, read_session
    from stimuli_store.pictures.contact_sheet import contact_sheet
    from stimuli_store.pictures.export import export_bank
    from stimuli_store.records.canonical import pixel_id
    from stimuli_store.records.predictions import Predictions, predictions_from
    from stimuli_store.records.spec import Level, ModelRef, Start, StimulusSpec
    from stimuli_store.records.stimulus import Batch, Certificate, Stimulus, StimulusRecord
else:
    find_own_packages()
    __getattr__, __dir__, __all__ = lazy_names(__name__)
