"""What tests of reports share."""

import pytest


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made but not rendered, which takes half of a report's time; for tests of its words."""
    monkeypatch.setattr("analysis.plots.style.to_png", lambda *_: b"\x89PNG\r\n")


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """The goodness of a fit rests on few simulated experiments, for tests that do not read it."""
    for module in ("grouping", "statements", "page.thresholds"):
        monkeypatch.setattr(f"analysis.report.{module}.MISFIT_DRAWS", 20)
