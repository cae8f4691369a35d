"""What eigendistortions are made of: Fisher products, solvers, saved state."""
