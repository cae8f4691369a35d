"""Kill a build with jobs at each of its points, in a folder with hard links or without: FOLDER LINKS."""

import os
import shutil
import sys
from pathlib import Path

import torch

from stimsynth.banks.build import build_work
from stimsynth.banks.plan import plan_from
from stimsynth.banks.work import prepare
from stimuli_store.bank.publish import read_job
from stimuli_store.bank.reading import open_bank
from tests.store.kill_points import die, no_links, points, state

PLAN = {
    "bank": {"name": "small", "version": "1.0.0", "license": "CC0-1.0"},
    "targets": {"images": ["camera"], "size": 16},
    "models": {"blur": {"use": "Gaussian", "params": {"kernel_size": 5}}},
    "sets": [{"kind": "metamer", "model": "blur", "seeds": [0, 1], "batch": 1, "max_iter": 2}],
}


def main(folder: Path, links: bool) -> None:
    """Kill a build at every point, and check what is left and what the next run makes of it."""
    torch.set_num_threads(1)
    work = prepare(plan_from(PLAN), folder)
    older = folder / "older"
    older.mkdir(parents=True)
    (older / "small-0.9.0.h5").write_bytes(b"older")
    whole = shutil.copytree(older, folder / "whole")
    names = points(lambda: build_work(work, whole), links=links)
    wanted = state(whole)
    if not links:
        os.link = no_links
    for fatal, name in enumerate(names):
        place = shutil.copytree(older, folder / str(fatal))
        before = state(place)
        die(lambda place=place: build_work(work, place), fatal, links=links)
        left = state(place)
        assert before.items() <= left.items(), name
        for file in left.keys() - before.keys():
            open_bank(place / file).close() if "jobs" not in file else read_job(place / file)
        build_work(work, place).close()
        after = state(place)
        assert left.items() <= after.items(), f"{name}: what was finished was made again or is gone"
        files = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()}
        assert files == set(wanted), f"{name}: {files}"
        bank, unkilled = (open_bank(f / "small-1.0.0.h5") for f in (place, whole))
        assert bank.version_id == unkilled.version_id, name
    print(len(names))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] == "links")
