"""Response keys: one for each answer, and one that ends the sitting."""

from collections.abc import Mapping, Sequence

from stimuli_store.errors import InputError, unknown_name

#: Key names, as PsychoPy spells them.
KEY_NAMES = (
    *("left", "right", "up", "down", "space", "return", "escape", "tab", "backspace"),
    *(f"num_{digit}" for digit in range(10)),
    *"abcdefghijklmnopqrstuvwxyz0123456789",
)
QUIT = "quit"
_QUIT_KEY = "escape"


def keys_of(given: Mapping[str, str], answers: Sequence[str]) -> dict[str, str]:
    """Return the key of every answer and of ``"quit"``.

    Answers that have none are given the arrow keys where there are two of them, else the digits from 1 on.

    Raises
    ------
    InputError
        If some answers have a key and others have none, an answer or key is unknown, two share a key, or an
        answer is called ``"quit"``.

    Examples
    --------
    >>> keys_of({}, ["A", "B"])
    {'A': 'left', 'B': 'right', 'quit': 'escape'}
    >>> keys_of({"quit": "q"}, ["one", "two", "three"])
    {'one': '1', 'two': '2', 'three': '3', 'quit': 'q'}
    """
    if QUIT in answers:
        raise InputError(
            f"no answer may be called {QUIT!r}, which names the key that ends the sitting; give the answer "
            "another name"
        )
    for name in given:
        if name not in (*answers, QUIT):
            raise unknown_name("answer in [keys]", name, [*answers, QUIT])
    chosen = {answer: given[answer] for answer in answers if answer in given}
    if not chosen:
        chosen = dict(zip(answers, _defaults(answers), strict=False))
    keys = {**chosen, QUIT: given.get(QUIT, _QUIT_KEY)}
    for answer in answers:
        if answer not in keys:
            raise InputError(f"the answer {answer!r} has no key; name one in [keys]")
    owner: dict[str, str] = {}
    for name, key in keys.items():
        if key not in KEY_NAMES:
            raise unknown_name("key", key, list(KEY_NAMES))
        if key in owner:
            raise InputError(
                f"keys must differ, but the key {key!r} stands for {owner[key]!r} and for {name!r}"
            )
        owner[key] = name
    return keys


def _defaults(answers: Sequence[str]) -> Sequence[str]:
    return ("left", "right") if len(answers) == 2 else "123456789"
