"""Parts of eigendistortions: Fisher products, solvers, checks, saved state."""
