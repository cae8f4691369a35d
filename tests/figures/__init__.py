"""Every kind of figure, compared with stored ones: ``python -m tests.figures`` draws the stored ones anew."""
