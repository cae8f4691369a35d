"""Commands of the analysis; parsing a command line imports nothing large."""

from analysis.cli.analyse import register

__all__ = ["register"]
