"""What can go wrong, as one tree; every message is one line: what happened, where, what to do next.

    ClioError
    ├── SettingsError     a setting, flag or facet file that cannot be used
    ├── SourceError       logs that cannot be read (never quotes their text)
    ├── ModelError        a chat model or embedder that cannot be had or does not answer
    ├── PrivacyError      the gate refuses to publish
    └── RunError          a run folder that is missing, locked or does not fit

Bad *records* are no errors: they are set aside and counted (see ``clio.sources``).
"""

from __future__ import annotations


class ClioError(Exception):
    """Root of all errors that a user can mend; the command line prints it as one line and exits with 2."""


class SettingsError(ClioError):
    """A setting, flag or facet file that cannot be used."""


class SourceError(ClioError):
    """Logs that cannot be read; names the file and the first path that did not fit, never its text."""


class ModelError(ClioError):
    """A chat model or embedder that cannot be had, or does not answer."""


class PrivacyError(ClioError):
    """The gate refuses to publish, and says which rule and what would satisfy it."""


class RunError(ClioError):
    """A run folder that is missing, in use or from other settings."""
