"""Records of images that nothing synthesized: references."""

from typing import Any

from stimuli_store.bank.pixel_checks import pixel_range
from stimuli_store.frames import BITS, quantize
from stimuli_store.records.canonical import as_master, pixel_id
from stimuli_store.records.stimulus import Certificate, Stimulus, StimulusRecord
from stimuli_store.tasks.types import REFERENCE


def describe_reference(pixels: Any, name: str, license: str) -> Stimulus:
    """Return a picture, which was not synthesized, as a reference stimulus of a bank.

    Parameters
    ----------
    pixels
        Float array (H, W) or (H, W, C); 0 is black and 1 is white. It is kept as float32.
    name
        Name of the image, unique within a bank.
    license
        Licence under which it may be used, as ``"CC0-1.0"``.

    Raises
    ------
    InputError
        If the shape is another one or any value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> describe_reference(np.zeros((2, 2)), "black", "CC0-1.0").record.kind
    'reference'
    """
    master = as_master(pixels)
    frame, sha = quantize(master), pixel_id(master)
    record = StimulusRecord(
        sha256=sha,
        kind=REFERENCE,
        set=name,
        member=0,
        role=REFERENCE,
        name=name,
        targets=(sha,),
        shape=master.shape,
        certificate=Certificate(
            bits=BITS,
            frame_sha256=frame.sha256,
            clipped_fraction=frame.clipped_fraction,
            status=REFERENCE,
        ),
        license=license,
        range=pixel_range(master),
    )
    return Stimulus(pixels=master, record=record)
