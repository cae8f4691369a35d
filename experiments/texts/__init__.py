"""Texts that a participant reads, with the names of keys filled in.

A design may replace each text by its own. In a text, ``{A}`` becomes the name of the key for the answer
``A``, ``{quit}`` that of the key that ends the sitting, and ``{done}`` and ``{total}`` numbers of trials.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from experiments.texts import en
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tasks.types import Task

PAGES = ("welcome", "resume", "rest", "thanks", "pause")
#: The texts of a design: pages, the question, the instructions, and the words on the answer screen.
NAMES = (*PAGES, "question", "instructions", "answer")
_FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Texts of a session with all names of keys filled in."""

    pages: Mapping[str, str]
    answer: str

    def page(self, name: str, done: int, total: int) -> str:
        """Return the text of a page; `done` of `total` trials are finished."""
        return _filled(self.pages[name], {"done": str(done), "total": str(total)})


def texts_of(own: Mapping[str, str], task: Task, keys: Mapping[str, str]) -> Texts:
    """Return the texts of a task, some of which a design replaces by its own.

    Parameters
    ----------
    own
        Texts of the design, by `NAMES`.
    task
        The task. One without a text of its own is described by its answers.
    keys
        Answer, or ``"quit"``, to key.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> keys = {"first": "left", "second": "right", "quit": "escape"}
    >>> texts_of({}, task_named("2ifc"), keys).answer
    'first: left arrow   second: right arrow'
    """
    known = en.TASK_TEXTS.get(task.name) or en.general(task.answers)
    words = {name: en.key_name(key) for name, key in keys.items()}
    question = _filled(own.get("question", known.question), words)
    instructions = _filled(own.get("instructions", known.instructions), words)
    given = {**words, "question": question, "instructions": instructions}
    short = "   ".join(f"{answer}: {en.short_name(keys[answer])}" for answer in task.answers)
    return Texts(
        pages={name: _filled(own.get(name, en.PAGE_TEXTS[name]), given) for name in PAGES},
        answer=_filled(own["answer"], words) if "answer" in own else short,
    )


def check_texts(own: Mapping[str, str], task: Task, keys: Mapping[str, str]) -> None:
    """Check the texts of a design: known names, and nothing in braces that is not filled in.

    Raises
    ------
    InputError
        With one line for each fault.
    """
    faults = []
    fields = [*keys, "question", "instructions", "done", "total"]
    for name, text in own.items():
        if name not in NAMES:
            faults.append(str(unknown_name("text in [texts]", name, list(NAMES))))
        for found in _FIELD.findall(text):
            if found not in fields:
                faults.append(
                    str(unknown_name(f"word in braces in the text {name}", found, fields))
                )
    if faults:
        raise InputError("\n".join(faults))


def _filled(text: str, words: Mapping[str, str]) -> str:
    """Return a text with the words in braces that are known; the others stay."""
    return _FIELD.sub(lambda found: words.get(found[1], found[0]), text)
