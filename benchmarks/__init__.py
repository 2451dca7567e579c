"""Slow studies and timings, apart from the tests. `python -m benchmarks NAME [ARGS]`."""
