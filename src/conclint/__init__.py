"""conclint finds concurrency mistakes in Python before they reach production."""

__version__ = "0.1.0"
