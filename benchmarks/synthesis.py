"""Metamers, eigendistortions and MAD competition beside plenoptic: seconds to a result, in one process.

Both begin with the same image and start. Results are judged by the peer's own models and metrics. The
peer's eigendistortions take some ten minutes; ``--only NAME`` runs the contests whose name has NAME in it.
"""

import importlib
from collections.abc import Callable

import torch

from benchmarks import competition, contests
from benchmarks.contests import Outcome
from stimuli_store.tools.command_line import NamesTheNearest

SIZE = 256


def main(arguments: list[str] | None = None) -> int:
    """Print how every contest went; return 0 if all were won."""
    parser = NamesTheNearest(prog="python -m benchmarks synthesis", description=__doc__)
    parser.add_argument("--only", default="", help="part of a contest's name")
    parser.add_argument("--size", type=int, default=SIZE, help="pixels along each side (256)")
    asked = parser.parse_args(arguments)
    try:
        peer = importlib.import_module("plenoptic")
    except ImportError:
        print('this benchmark needs plenoptic: pip install -e ".[synth,peers]"')
        return 1
    print(f"{asked.size}x{asked.size}, float32, {torch.get_num_threads()} threads")
    print(f"{'':32}{'ours':>10}{'plenoptic':>12}{'ratio':>9}{'target':>9}")
    every: dict[str, Callable[[], list[Outcome]]] = {
        "history": lambda: [contests.history_cost(asked.size)],
        "front end metamer": lambda: [contests.front_end_metamer(peer, asked.size)],
        "texture metamer": lambda: [contests.texture_metamer(peer, asked.size)],
        "mad competition": lambda: competition.competition(peer, asked.size),
        "eigendistortions": lambda: [contests.eigendistortions(peer, asked.size)],
    }
    chosen = [contest for name, contest in every.items() if asked.only in name]
    outcomes = [_shown(outcome) for contest in chosen for outcome in contest()]
    return int(not all(outcome.won for outcome in outcomes))


def _shown(outcome: Outcome) -> Outcome:
    mark = "" if outcome.won else "  MISSED"
    print(
        f"{outcome.name:32}{outcome.ours_s:9.2f}s{outcome.theirs_s:11.2f}s{outcome.ratio:8.1f}x"
        f"{outcome.target:8.2f}x{mark}"
    )
    for note in outcome.notes:
        print(f"    {note}")
    return outcome
