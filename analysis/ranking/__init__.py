"""Which model predicts held-out answers best: folds, bootstrap, rank."""
