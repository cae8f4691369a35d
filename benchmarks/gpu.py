"""Banks on a GPU and on the CPU beside it: seconds, and whether their certificates agree.

One plan for each kind, built with ``device="cuda"`` and ``device="cpu"``. The CPU makes a few stimuli of
the large plan and is compared per stimulus. Certificates agree if every figure that both have lies within a
factor of two, or is small on both. Skipped where torch sees no GPU.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from stimsynth.banks.build import build
from stimuli_store.bank import Bank
from stimuli_store.tools.command_line import NamesTheNearest

#: Figures below this are rounding on both devices.
SMALL = 1e-4


def plan(name: str, entry: dict[str, Any], size: int = 256) -> dict[str, Any]:
    """Return a plan with one set, on one photograph."""
    return {
        "bank": {"name": name, "version": "1.0.0", "license": "CC0-1.0"},
        "targets": {"images": ["camera"], "size": size},
        "models": {
            "onoff": {"use": "OnOff", "params": {"kernel_size": 31, "pretrained": True}},
            "texture": {"use": "PortillaSimoncelli", "params": {"image_shape": [size, size]}},
        },
        "sets": [entry],
    }


def plans(metamers: int) -> dict[str, dict[str, Any]]:
    """Return the plans of the benchmark; `metamers` is the number of metamers of the front end."""
    front_end = {
        "kind": "metamer",
        "model": "onoff",
        "seeds": list(range(metamers)),
        "batch": 100,
        "max_iter": 100,
        "grid": "rounded",
    }
    texture = {"kind": "metamer", "model": "texture", "max_iter": 200, "grid": "rounded"}
    mad = {"kind": "mad", "metrics": ["ssim", "mse"], "level": {"noise": [0.05]}}
    ends = {"kind": "eigendistortion", "model": "onoff", "level": {"amplitude": [2.0]}}
    return {
        "front-end-metamers": plan("front-end", front_end),
        "texture-metamer": plan("texture", texture),
        "mad-set": plan("mad", mad),
        "eigendistortions": plan("eigen", ends),
    }


def built(entry: dict[str, Any], device: str) -> tuple[Bank, float]:
    """Return the bank of a plan and the seconds that its batches took."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        bank = build(entry, Path(folder), device=device)
        seconds = time.perf_counter() - began
        bank.close()
    return bank, seconds


def disagreements(one: Bank, two: Bank) -> list[str]:
    """Return the figures of certificates in which two banks of one plan disagree."""
    found = []
    other = {record.name: record.certificate.figures for record in two.records}
    for record in one.records:
        for name, value in record.certificate.figures.items():
            if record.name not in other:
                continue
            beside = other[record.name][name]
            low, high = sorted((abs(value), abs(beside)))
            if high > SMALL and high > 2 * low:
                found.append(f"{record.name} {name}: {value:.3g} and {beside:.3g}")
    return found


def main(rest: list[str]) -> int:
    """Print the table; return 0 if there is no GPU, or if all certificates agree."""
    parser = NamesTheNearest(prog="python -m benchmarks gpu", description=__doc__)
    parser.add_argument("--metamers", type=int, default=1000)
    parser.add_argument("--cpu-metamers", type=int, default=4)
    asked = parser.parse_args(rest)
    if not torch.cuda.is_available():
        print("there is no GPU that torch sees here; skipped")
        return 0
    print(
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {torch.get_num_threads()} CPU threads"
    )
    built(plan("warm-up", {"kind": "metamer", "model": "onoff", "max_iter": 2}, 64), "cuda")
    wrong: list[str] = []
    on_cpu = plans(asked.cpu_metamers)
    for name, entry in plans(asked.metamers).items():
        fast, gpu_s = built(entry, "cuda")
        slow, cpu_s = built(on_cpu[name], "cpu")
        counts = [sum(r.kind != "reference" for r in bank.records) for bank in (fast, slow)]
        ratio = (cpu_s / counts[1]) / (gpu_s / counts[0])
        differ = disagreements(fast, slow)
        wrong += differ
        print(
            f"{name:20} GPU {gpu_s:8.1f} s for {counts[0]:5}   CPU {cpu_s:8.1f} s for {counts[1]:3}   "
            f"{ratio:6.1f} times faster a stimulus   {len(differ)} figures disagree",
            flush=True,
        )
    print("\n".join(wrong))
    return int(bool(wrong))
