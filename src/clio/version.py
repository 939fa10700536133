"""The version of this release; packaging reads it here."""

__version__ = "0.1.0"
