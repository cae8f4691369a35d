"""What tests of reports share."""

import pytest


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made but not rendered, which takes half of a report's time; for tests of its words."""
    monkeypatch.setattr("analysis.plots.style.to_png", lambda *_: b"\x89PNG\r\n")
