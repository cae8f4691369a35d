"""Build the bank of plan.toml in Python, with models given as functions: python build.py [FOLDER]."""

import shutil
import sys
import tomllib
from pathlib import Path

import models

import stimsynth
from stimsynth.banks.build import build

HERE = Path(__file__).resolve().parent
out = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE
(out / "photos").mkdir(parents=True, exist_ok=True)
for name in ("coffee_color.png", "chelsea_color.png"):
    shutil.copy(Path(stimsynth.__file__).parent / "data" / name, out / "photos")

plan = tomllib.loads((HERE / "plan.toml").read_text(encoding="utf-8"))
plan["sets"][-1]["files"] = str(out / "photos")
bank = build(plan, out, models={"mine": models.retina, "deep": models.network}, say=print)
for record in bank.records:
    print(record.name, record.certificate.status, *record.flags, sep=": ")
