"""English texts: the pages, and question and instructions of every task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TaskText:
    """Question and instructions of a task; ``{answer}`` stands for the key of an answer."""

    question: str
    instructions: str


PAGE_TEXTS: Mapping[str, str] = {
    "welcome": """{instructions}

{question}

Keep your eyes on the small cross in the middle. If you are not sure, guess.
You can leave at any time with {quit}; your answers are kept.

Press the space bar to begin.""",
    "resume": """Welcome back: {done} of {total} trials are done.

{question}

Press the space bar to go on.""",
    "rest": """A moment to rest: {done} of {total} trials are done.

Press the space bar when you are ready to go on.""",
    "thanks": """That was the last one. Thank you!

Press the space bar to finish.""",
    "pause": """That is all for now: {done} of {total} trials are done. Thank you!

Press the space bar to finish.""",
}

_NUMBERS = {3: "three", 4: "four", 5: "five", 6: "six"}


def _one_of(m: int, ring: bool, odd: bool) -> TaskText:
    """Return the text of a task in which one of m pictures is to be found."""
    count = _NUMBERS[m]
    keys = ", ".join(f"{{{i + 1}}} for number {i + 1}" for i in range(m))
    together = (
        f"You will see {count} pictures in a ring.\n"
        "Number 1 is at the top, and the others follow clockwise."
    )
    in_turn = f"You will see {count} pictures, one after the other."
    one = "One of them differs from the others." if odd else "One of them is distorted."
    which = "Which picture differs?" if odd else "Which picture is distorted?"
    return TaskText(
        question=f"{which}\nPress {keys}.",
        instructions=f"{together if ring else in_turn}\n{one}",
    )


TASK_TEXTS: Mapping[str, TaskText] = {
    "abx": TaskText(
        question="Was the third picture the first one (press {A})\nor the second one (press {B})?",
        instructions="You will see three pictures, one after the other.\n"
        "The third one is the same as the first or the second.",
    ),
    "match-to-sample": TaskText(
        question="Is the first picture the left one (press {left})\nor the right one (press {right})?",
        instructions="You will see one picture, and then two side by side.\n"
        "One of the two is the same as the first picture.",
    ),
    "2ifc": TaskText(
        question="Was the first picture the more distorted one (press {first})\n"
        "or the second (press {second})?",
        instructions="You will see two pictures, one after the other.\nOne of them is more distorted.",
    ),
    "pair": TaskText(
        question="Which picture is more distorted, the left one (press {left})\n"
        "or the right one (press {right})?",
        instructions="You will see two pictures side by side.\nOne of them is more distorted.",
    ),
    "pair-with-reference": TaskText(
        question="Which picture differs from the middle one, the left (press {left})\n"
        "or the right (press {right})?",
        instructions="You will see three pictures side by side.\n"
        "One of the outer two differs from the middle one.",
    ),
    "mad-pair": TaskText(
        question="Which picture is more like the middle one, the left (press {left})\n"
        "or the right (press {right})?",
        instructions="You will see three pictures side by side.",
    ),
    **{f"{m}afc": _one_of(m, ring=False, odd=False) for m in _NUMBERS},
    **{"oddity" if m == 3 else f"oddity-{m}": _one_of(m, ring=False, odd=True) for m in _NUMBERS},
    **{
        "ring-oddity" if m == 3 else f"ring-oddity-{m}": _one_of(m, ring=True, odd=True)
        for m in _NUMBERS
    },
    "yes-no": TaskText(
        question="Was the picture distorted?\nPress {yes} for yes, {no} for no.",
        instructions="You will see one picture at a time.\nIt is distorted or it is not.",
    ),
    "same-different": TaskText(
        question="Were the two pictures the same (press {same})\nor different (press {different})?",
        instructions="You will see two pictures, one after the other.",
    ),
    "4iax": TaskText(
        question="Did the pictures differ in the first pair (press {first})\n"
        "or in the second pair (press {second})?",
        instructions="You will see four pictures, one after the other: two pairs.\n"
        "The pictures of one pair are the same, those of the other differ.",
    ),
    "split-screen": TaskText(
        question="Which half changed, the left (press {left})\nor the right (press {right})?",
        instructions="You will see a picture, and then the picture again.\n"
        "One of its halves has changed.",
    ),
}


def general(answers: Sequence[str]) -> TaskText:
    """Return the text of a task that has none of its own, from its answers.

    Examples
    --------
    >>> print(general(["one", "two"]).question)
    For the answer one press {one}.
    For the answer two press {two}.
    """
    lines = (f"For the answer {answer} press {{{answer}}}." for answer in answers)
    return TaskText(
        question="\n".join(lines), instructions=f"The answers are: {', '.join(answers)}."
    )


_ARROWS = ("left", "right", "up", "down")


def key_name(key: str) -> str:
    """Return the name of a key in a sentence.

    Examples
    --------
    >>> key_name("left"), key_name("f"), key_name("space")
    ('the left arrow key', 'the F key', 'the space bar')
    """
    if key == "space":
        return "the space bar"
    return f"the {short_name(key)} key"


def short_name(key: str) -> str:
    """Return the name of a key for the answer screen.

    Examples
    --------
    >>> short_name("left"), short_name("1"), short_name("num_3")
    ('left arrow', '1', 'keypad 3')
    """
    if key in _ARROWS:
        return f"{key} arrow"
    if key.startswith("num_"):
        return f"keypad {key.removeprefix('num_')}"
    return key.upper() if len(key) == 1 else key
