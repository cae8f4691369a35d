"""The page that lists what works: every row is there, and what shows it exists."""

import inspect
import re
from pathlib import Path

import pytest

import stimsynth
from stimsynth import metrics, transforms

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "inventory.md"
#: Rows of each group.
ROWS = {"Q": 62, "L": 29, "H": 19, "N": 18, "O": 7, "P": 24, "R": 11, "U": 6}
TABLE = re.findall(r"^\| ([A-Z]\d\d) \| (.+) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)


def test_every_row_is_listed_once_with_what_shows_it() -> None:
    wanted = [
        f"{group}{number:02}" for group, count in ROWS.items() for number in range(1, count + 1)
    ]
    assert [row for row, _, _ in TABLE] == wanted
    for row, what, shown in TABLE:
        assert len(what) > 10, row
        assert re.search(r"`tests/\S+::test_\w+`|\[[^\]]+\]\([^)]+\)", shown), row


def test_every_test_that_is_named_exists() -> None:
    missing = []
    for path, name in set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE.read_text("utf-8"))):
        file = ROOT / path
        if not file.is_file() or f"def {name}(" not in file.read_text("utf-8"):
            missing.append(f"{path}::{name}")
    assert not missing


def test_every_page_and_file_that_is_named_exists() -> None:
    text = PAGE.read_text("utf-8")
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    assert links
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []
    files = re.findall(r"`(tests/[\w/]+(?:\.py)?)`", text)
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize(
    ("thing", "sources"),
    [
        (stimsynth.Metamer, ["Portilla", "2000"]),
        (stimsynth.MADCompetition, ["Wang", "2008"]),
        (stimsynth.Eigendistortion, ["Berardino", "2017"]),
        (stimsynth.Geodesic, ["Hénaff", "2016"]),
        (stimsynth.PortillaSimoncelli, ["Portilla", "2000"]),
        (stimsynth.OnOff, ["Berardino", "2017"]),
        (transforms.SteerablePyramidFreq, ["Simoncelli", "1995"]),
        (metrics.ssim, ["Wang", "2004", "2008"]),
        (metrics.ms_ssim, ["Wang", "2003"]),
        (metrics.nlpd, ["Laparra", "2016"]),
    ],
)
def test_what_has_a_source_names_it(thing: object, sources: list[str]) -> None:
    _, _, references = (inspect.getdoc(thing) or "").partition("References")
    assert [word for word in sources if word not in references] == []
