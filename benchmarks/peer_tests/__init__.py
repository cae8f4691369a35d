"""The test suite of plenoptic, run on the names of this project."""

from benchmarks.peer_tests.run import main as main
