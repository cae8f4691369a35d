"""Tables of outcomes in the form of ``docs/peer_tests.md``."""

from collections import Counter
from collections.abc import Mapping, Sequence

from benchmarks.peer_tests.outcomes import Outcome
from benchmarks.peer_tests.reasons import kind_of, reason

#: Heads of columns for kinds of outcomes; the later ones are left out where they are empty.
_COLUMNS = {
    "passed": "passed",
    "differs": "different",
    "not offered": "not offered",
    "not at hand": "no file, weights or GPU",
    "too long": "longer than the limit",
    "ended": "ended the process",
    "not run": "not run",
}
_ALWAYS = 4


def table_of_files(found: Mapping[str, Outcome]) -> str:
    """Return the number of outcomes of each kind by file."""
    counts: dict[str, Counter[str]] = {}
    for test, (kind, error) in found.items():
        file = test.partition(".py::")[0].removeprefix("test_")
        counts.setdefault(f"`{file}`", Counter())[kind_of(kind, error)] += 1
    counts = {**dict(sorted(counts.items())), "all": sum(counts.values(), Counter())}
    kinds = [k for i, k in enumerate(_COLUMNS) if i < _ALWAYS or counts["all"][k]]
    rows = [["file", "tests", *(_COLUMNS[kind] for kind in kinds)]]
    for name, by_kind in counts.items():
        rows.append([name, f"{by_kind.total():,}", *(f"{by_kind[kind]:,}" for kind in kinds)])
    return _table(rows)


def table_of_reasons(found: Mapping[str, Outcome]) -> tuple[str, dict[str, str]]:
    """Return the number of tests that differ for each reason, and errors without a reason."""
    differ = {t: error for t, (kind, error) in found.items() if kind_of(kind, error) == "differs"}
    reasons = {test: reason(test, error) for test, error in differ.items()}
    counts = Counter(one for one in reasons.values() if one is not None)
    rows = [["tests", "what differs", "where it is stated"]]
    rows += [[f"{number:,}", one.what, one.where] for one, number in counts.most_common()]
    unexplained = {test: error for test, error in differ.items() if reasons[test] is None}
    return _table(rows), unexplained


def _table(rows: Sequence[Sequence[str]]) -> str:
    heads, *others = (f"| {' | '.join(cells)} |" for cells in rows)
    return "\n".join([heads, "|---" * len(rows[0]) + "|", *others])
