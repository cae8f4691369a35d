"""Build banks: plans, models by name, synthesis, certificates, predictions."""
