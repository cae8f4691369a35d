"""Write the report: an HTML file that needs no other file, a table of trials, and the results as JSON."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from analysis.report.results import Results, analyse
from analysis.report.summary import summary_of
from stimuli_store.bank.reading import Bank
from stimuli_store.disk.atomic import write_atomically
from stimuli_store.errors import InputError
from stimuli_store.journal import Session

REPORT, TRIALS, RESULTS = "report.html", "trials.csv", "results.json"


def write_report(
    bank: Bank,
    sessions: Sequence[Session],
    out_dir: str | os.PathLike[str],
    *,
    p: float = 0.75,
    seed: int = 0,
) -> Results:
    """Write ``report.html``, ``trials.csv`` and ``results.json`` to a folder, and return the results.

    Each file appears complete or not at all. In the JSON file an infinite end is null.

    Parameters
    ----------
    out_dir
        The folder; made if missing. Older files of these three names are replaced.
    bank, sessions, p, seed
        As for `analysis.report.results.analyse`, with the same errors.

    Raises
    ------
    InputError
        If the folder cannot be made.
    """
    from analysis.report.findings import report_page

    results, answers = analyse(bank, sessions, p=p, seed=seed)
    folder = _folder(out_dir)
    numbers = json.dumps(summary_of(results), indent=1, allow_nan=False, ensure_ascii=False)
    files = {
        TRIALS: answers.table.to_csv(index=False, lineterminator="\n"),
        RESULTS: numbers + "\n",
        REPORT: report_page(bank, sessions, results, answers),
    }
    for name, content in files.items():
        write_atomically(folder / name, content.encode())
    return results


def _folder(out_dir: str | os.PathLike[str]) -> Path:
    folder = Path(out_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the report's folder {folder} cannot be made ({error.strerror}); give another one"
        ) from error
    return folder
