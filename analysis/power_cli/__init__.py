"""The command ``stimsynth power``; parsing a command line imports nothing large."""

from analysis.power_cli.power import register

__all__ = ["register"]
