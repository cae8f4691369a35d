"""Texts that a participant of the ABX task reads; `{A}`, `{B}` and `{quit}` become names of keys."""

WELCOME = """You will see three pictures, one after the other.

The third picture is the same as the first or the second.

If it was the first, press {A}.
If it was the second, press {B}.

Keep your eyes on the small cross. If you are not sure, guess.
You can leave at any time with {quit}; your answers are kept.

Press the space bar to begin."""

RESUME = """Welcome back: {done} of {total} trials are done.

Is the third picture the same as the first (press {A})
or the second (press {B})?

Press the space bar to go on."""

REST = """A moment to rest: {done} of {total} trials are done.

Press the space bar when you are ready to go on."""

THANKS = """That was the last one. Thank you!

Press the space bar to finish."""

PAUSE_TEXT = """That is all for now: {done} of {total} trials are done. Thank you!

Press the space bar to finish."""

_ARROWS = {"left": "the left arrow key", "right": "the right arrow key"}


def key_words(key: str) -> str:
    """Return the name of a key for a text that people read.

    Examples
    --------
    >>> key_words("left"), key_words("f")
    ('the left arrow key', 'the F key')
    """
    named = key.upper() if len(key) == 1 else key
    return _ARROWS.get(key, f"the {named} key")
