"""One exception tree for all four packages.

::

    StimsynthError              anything this project refuses to do; `exit_code` is the command's
    ├── InputError              what was asked for makes no sense (also a ValueError)
    │   ├── WrongType           … because of a type or precision (also a TypeError)
    │   ├── WrongDevice         … because of a device (also a RuntimeError)
    │   ├── LacksAttribute      … because an attribute is missing (also an AttributeError)
    │   └── NotOne              … because a name matches none or several (also an AssertionError)
    ├── BankError               a bank file is missing, damaged or not what was pinned
    │   ├── BankExists          a published version can never be overwritten
    │   └── PinMismatch         the file is a good bank, but another one
    ├── ArchiveError            a saved synthesis is missing, damaged or of another kind
    ├── JournalError            a session journal cannot be continued
    ├── DisplayError            the screen cannot show the stimuli as certified
    ├── DownloadError           a file could not be fetched, or is another one (also an OSError)
    └── MissingExtra            an optional part is not installed (also an ImportError)

A message is one sentence that says what failed, what was given, and what would do.
"""


class StimsynthError(Exception):
    """Base of every error this project raises on purpose."""

    exit_code = 1


class InputError(StimsynthError, ValueError):
    """What was asked for makes no sense: a wrong name, key, shape or number."""

    exit_code = 2


class WrongType(InputError, TypeError):
    """What was given is of the wrong type or precision, or takes other arguments."""


class WrongDevice(InputError, RuntimeError):
    """What was given moves tensors to another device."""


class LacksAttribute(InputError, AttributeError):
    """What was given lacks an attribute that it needs here."""


class NotOne(InputError, AssertionError):
    """A name has to match exactly one thing, and matches none or several."""


class BankError(StimsynthError):
    """A bank file is missing, damaged, or not a bank."""

    exit_code = 3


class BankExists(BankError):
    """This version is already published, and a version is never overwritten."""


class PinMismatch(BankError):
    """The bank is intact, but it is not the one that was pinned."""


class ArchiveError(StimsynthError, ValueError):
    """A saved synthesis is missing, damaged, or not one."""

    exit_code = 3


class JournalError(StimsynthError):
    """A session journal is damaged, in use, or belongs to another design."""

    exit_code = 4


class DisplayError(StimsynthError):
    """The screen cannot show the stimuli as they were certified."""

    exit_code = 5


class DownloadError(StimsynthError, OSError):
    """A file could not be fetched, or what came is not the file that was pinned."""

    exit_code = 7


class MissingExtra(StimsynthError, ImportError):
    """An optional part of the toolkit is not installed on this machine."""

    exit_code = 6


def unknown_name(what: str, given: str, known: list[str]) -> InputError:
    """Return the error for a name that is not in a list, with the nearest one that is.

    Examples
    --------
    >>> print(unknown_name("model", "Gausian", ["Gaussian", "OnOff"]))
    unknown model 'Gausian'; did you mean 'Gaussian'? (known: Gaussian, OnOff)
    """
    import difflib

    near = difflib.get_close_matches(given, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return InputError(f"unknown {what} {given!r}{hint} (known: {', '.join(known)})")
