"""Heavy tests, run by ``make torture``; what each has tried is in ``tests/README.md``."""
