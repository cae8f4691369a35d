"""Write the report: an HTML file that needs no other file, a table of trials, and the results as JSON."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.data.answers import Answers
from analysis.data.kinds import given_answers, given_bank, sessions_given
from analysis.report.results import Results, analyse
from analysis.report.summary import summary_of
from stimuli_store.bank.reading import Bank
from stimuli_store.disk.atomic import write_atomically
from stimuli_store.errors import InputError
from stimuli_store.journal import Session
from stimuli_store.tools.gates import a_path, optional, takes

REPORT, TRIALS, RESULTS = "report.html", "trials.csv", "results.json"


@takes(answers=given_answers, out_dir=a_path, bank=optional(given_bank), sessions=sessions_given)
def write_report(
    answers: Answers,
    out_dir: str | os.PathLike[str],
    *,
    bank: Bank | None = None,
    sessions: Sequence[Session] = (),
    **how: Any,
) -> Results:
    """Write ``report.html``, ``trials.csv`` and ``results.json`` to a folder, and return the results.

    Each file appears complete or not at all. In the JSON file an infinite end is null.

    Parameters
    ----------
    answers, bank, sessions, how
        As for `analysis.report.results.analyse`, with the same errors. With a bank and sessions the
        report has sections on the stimuli, the booth and the timing.
    out_dir
        The folder; made if missing. Older files of these three names are replaced.

    Raises
    ------
    InputError
        If the folder cannot be made.

    Examples
    --------
    >>> from stimsynth import answers_of, open_bank, read_sessions
    >>> bank = open_bank("study-1.0.0.h5")
    >>> answers = answers_of(bank, read_sessions("data"))
    >>> results = write_report(answers, "report")
    >>> from pathlib import Path
    >>> sorted(path.name for path in Path("report").iterdir())
    ['report.html', 'results.json', 'trials.csv']
    """
    from analysis.report.page.whole import report_page

    results = analyse(answers, bank=bank, sessions=sessions, **how)
    folder = _folder(out_dir)
    numbers = json.dumps(
        summary_of(results, answers), indent=1, allow_nan=False, ensure_ascii=False
    )
    files = {
        TRIALS: _with_unit(answers).to_csv(index=False, lineterminator="\n"),
        RESULTS: numbers + "\n",
        REPORT: report_page(results, answers, bank=bank, sessions=sessions),
    }
    for name, content in files.items():
        write_atomically(folder / name, content.encode())
    return results


def _with_unit(answers: Answers) -> pd.DataFrame:
    """Return the table with the unit of its levels, by which `read_trials` knows it again."""
    known = not answers.unit or "unit" in answers.table
    return answers.table if known else answers.table.assign(unit=answers.unit)


def _folder(out_dir: str | os.PathLike[str]) -> Path:
    folder = Path(out_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the report's folder {folder} cannot be made ({error.strerror}); give another one"
        ) from error
    return folder
