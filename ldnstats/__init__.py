"""Trials rebuilt from their printed numbers."""

__version__ = "0.1.0"
