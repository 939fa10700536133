"""Columns of a log that settings name, and whether any conversation has them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from clio.errors import SettingsError

#: columns that a conversation may have besides the keys of its metadata, and the stored one that each is made of
COLUMNS = {"model": "model", "country": "country", "week": "created_at"}
# keys of the metadata that an error names: as many, and only such as look like names of columns
_SEEN = 6  # conversations, and a twentieth of all, that must have a key before it is told
_NAMED = 12
_COLUMN_NAME = re.compile(r"[^\W\d][\w.-]{0,39}")


def require(file: Any, setting: str, names: Iterable[str]) -> None:
    """Raise ``SettingsError`` for a key of the metadata that no conversation has; names those there are, never a value.

    Args:
        file: a ``ParquetFile`` of the schema ``stored.CONVERSATIONS``.
        setting: that names the keys.
        names: the keys.
    """
    missing = dict.fromkeys(names)
    for texts in values(file, "metadata") if missing else ():
        for text in texts:
            for key in json.loads(text) if text else ():
                missing.pop(key, None)
        if not missing:
            return
    for name in missing:
        raise no_column(file, setting, name)


def no_column(file: Any, setting: str, name: str) -> SettingsError:
    """The error for a column that no conversation has."""
    known = ", ".join(_known(file)) or "none"
    return SettingsError(f"setting '{setting}': no conversation has a column {name[:40]!r}; known: {known}")


def values(file: Any, column: str) -> Iterator[list[Any]]:
    """The values of one stored column, a row group at a time."""
    for group in range(file.num_row_groups):
        yield file.read_row_group(group, columns=[column])[column].to_pylist()


def _known(file: Any) -> list[str]:
    """The columns there are: model, country and week if any conversation has them, and the commonest keys of the metadata."""
    found = [
        name
        for name, column in COLUMNS.items()
        if any(value is not None for some in values(file, column) for value in some)
    ]
    keys: Counter[str] = Counter()
    for texts in values(file, "metadata"):
        for text in texts:
            keys.update(list(json.loads(text)) if text else ())  # as a list: a dict's values would be counts
    # a key that few conversations have may be a word of one person
    least = max(_SEEN, file.metadata.num_rows // 20)
    names = [key for key, n in keys.most_common() if n >= least and _COLUMN_NAME.fullmatch(key)]
    return found + sorted(set(names[:_NAMED]) - set(found))
