"""Building blocks that need only torch: reductions, caching, custom gradients, Jacobian products."""
