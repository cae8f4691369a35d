"""From a plan to a published bank: plan, models by name, build, certify, predict."""
