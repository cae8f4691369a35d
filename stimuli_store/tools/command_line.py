"""Parsers of command lines that answer a misspelt option, command or choice with the nearest known one."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from stimuli_store.errors import unknown_name


class NamesTheNearest(argparse.ArgumentParser):
    """Parser that offers the nearest known word for a misspelt one; parsers of its commands do too.

    A misspelt option is told before anything that it leaves missing.

    Examples
    --------
    >>> import contextlib, io
    >>> parser = NamesTheNearest(prog="look", usage="look --task NAME")
    >>> _ = parser.add_argument("--task", required=True)
    >>> with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()) as said:
    ...     _ = parser.parse_args(["--taks", "abx"])
    >>> print(said.getvalue())
    usage: look --task NAME
    look: error: unknown option '--taks'; did you mean '--task'? (known: --help, --task)
    <BLANKLINE>
    """

    _has_commands = False

    def add_subparsers(self, **how: Any) -> Any:
        """Add commands; options after the name of one are its own."""
        self._has_commands = True
        return super().add_subparsers(**how)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse a command line, after checking that its options are known."""
        # Parsers of commands are called here as well.
        words = list(sys.argv[1:] if args is None else args)
        self._check_options(words)
        return super().parse_known_args(words, namespace)

    def _check_options(self, words: Sequence[str]) -> None:
        # argparse has no public list of the options, and no public way to word these errors.
        known = [name for action in self._actions for name in action.option_strings]
        for word in words:
            if word == "--" or (self._has_commands and not word.startswith("-")):
                return
            name = word.partition("=")[0]
            short = name[:1] == "-" and name[1:2].isalpha() and name[:2] not in known
            if (short or name[:2] == "--") and not any(one.startswith(name) for one in known):
                self.error(str(unknown_name("option", name, [n for n in known if n[:2] == "--"])))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            option = " of ".join(("value", *action.option_strings[-1:]))
            what = option if action.option_strings else str(action.metavar or action.dest).lower()
            self.error(str(unknown_name(what, value, list(map(str, action.choices)))))
