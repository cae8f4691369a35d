"""Ranking of models by their prediction of held-out answers: folds, bootstrap, scores."""
