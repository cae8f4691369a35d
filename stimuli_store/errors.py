"""Exceptions of all four packages, in one tree.

::

    StimsynthError              base of all; `exit_code` is the exit code of a command that raises it
    ├── InputError              a wrong name, key, shape or number was given (also a ValueError)
    │   ├── WrongType           … because of a type or precision (also a TypeError)
    │   ├── WrongDevice         … because of a device (also a RuntimeError)
    │   ├── LacksAttribute      … because an attribute is missing (also an AttributeError)
    │   └── NotOne              … because a name matches none or several (also an AssertionError)
    ├── BankError               a bank file is missing, damaged or not what was pinned
    │   ├── BankExists          a published version can never be overwritten
    │   └── PinMismatch         the file is a good bank, but another one
    ├── ArchiveError            a saved synthesis is missing, damaged, or not a saved synthesis
    ├── JournalError            a session journal cannot be continued
    ├── DisplayError            the screen cannot show the stimuli as certified
    ├── DownloadError           a file could not be fetched, or has another hash (also an OSError)
    └── MissingExtra            an optional part is not installed (also an ImportError)

A message is one sentence that says what failed, what was given, and what would be accepted.
"""


class StimsynthError(Exception):
    """Base class of every error that this project raises on purpose.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> try:
    ...     open_bank("lost-1.0.0.h5")
    ... except StimsynthError as error:
    ...     print(type(error).__name__, error.exit_code)
    BankError 3
    """

    exit_code = 1


class InputError(StimsynthError, ValueError):
    """Raised when a wrong name, key, shape or number was given.

    Examples
    --------
    >>> from stimsynth import BankHeader
    >>> try:
    ...     BankHeader(name="textures", version="1.0", license="CC0-1.0")
    ... except InputError as error:
    ...     print(error)
    a bank's version must be three numbers, as in 1.0.0; not '1.0'
    """

    exit_code = 2


class WrongType(InputError, TypeError):
    """Raised when an argument has the wrong type or precision, or a function takes other arguments."""


class WrongDevice(InputError, RuntimeError):
    """Raised when a model or function that was given moves tensors to another device."""


class LacksAttribute(InputError, AttributeError):
    """Raised when an object that was given lacks an attribute that is needed."""


class NotOne(InputError, AssertionError):
    """Raised when a name must match exactly one object, and matches none or several."""


class BankError(StimsynthError):
    """Raised when a bank file is missing, damaged, or not a bank."""

    exit_code = 3


class BankExists(BankError):
    """Raised when this version of a bank is already published, and a version is never overwritten."""


class PinMismatch(BankError):
    """Raised when the bank is intact, but it is not the one that the pin names."""


class ArchiveError(StimsynthError, ValueError):
    """Raised when a file of a saved synthesis is missing, damaged, or of another kind."""

    exit_code = 3


class JournalError(StimsynthError):
    """Raised when a session journal is damaged, in use, or belongs to another design."""

    exit_code = 4


class DisplayError(StimsynthError):
    """Raised when the screen cannot show the stimuli as they were certified."""

    exit_code = 5


class DownloadError(StimsynthError, OSError):
    """Raised when a file could not be fetched, or the fetched file has another hash than the pinned one."""

    exit_code = 7


class MissingExtra(StimsynthError, ImportError):
    """Raised when an optional part of the toolkit is not installed on this machine."""

    exit_code = 6


def missing_extra(need: str, extra: str) -> MissingExtra:
    """Return the error for a package that is not installed, with the extra that brings it.

    No package index holds the project, so it is installed from its checkout.

    Examples
    --------
    >>> print(missing_extra("a table needs pandas", "analysis"))
    a table needs pandas, which this machine lacks; in the checkout of stimsynth: pip install -e ".[analysis]"
    """
    return MissingExtra(f"{need}, which this machine lacks; {installation(extra)}")


def installation(extra: str) -> str:
    """Return the words that install an extra."""
    return f'in the checkout of stimsynth: pip install -e ".[{extra}]"'


_SHOWN = 40  # known names in a message; a bank has thousands


def unknown_name(what: str, given: object, known: list[str]) -> InputError:
    """Return the error for a name that is not in a list of known names; it suggests the nearest one.

    Examples
    --------
    >>> print(unknown_name("model", "Gausian", ["Gaussian", "OnOff"]))
    unknown model 'Gausian'; did you mean 'Gaussian'? (known: Gaussian, OnOff)
    """
    import difflib

    spelled = {name.lower(): name for name in reversed(known)}
    near = difflib.get_close_matches(str(given).lower(), spelled, n=1)
    hint = f"; did you mean {spelled[near[0]]!r}?" if near else ";"
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    named = " ".join(repr(given).split())
    return InputError(f"unknown {what} {named}{hint} (known: {', '.join(known[:_SHOWN])}{more})")
