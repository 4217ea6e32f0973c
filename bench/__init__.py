"""Measurements: `make bench CORPUS=dir`."""
