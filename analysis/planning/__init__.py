"""Planning of studies: simulated answers of a design, power, precision, recovery."""
