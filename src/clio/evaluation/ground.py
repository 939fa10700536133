"""Where runs are made to be measured or attacked: a log, the settings of its runs, and a private folder for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from clio.insights import Insights
from clio.models.protocols import Embedder
from clio.settings import Settings

#: one conversation of a log: id, user, messages ([{role, content}]), and whatever else the log tells
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ground:
    """The rows of a log, the settings of its runs, and where they are made (private: they hold the log).

    ``encoder`` is used by all runs instead of the settings' embedder, so that texts that come again need not be embedded again.
    """

    rows: Sequence[Row] = field(repr=False)
    settings: Settings
    folder: Path
    encoder: Embedder | None = field(default=None, repr=False)

    def run(self, name: str, rows: Sequence[Row], **overrides: Any) -> tuple[Insights, Path]:
        """Run a log of some rows; its insights and its run folder, ``folder/name``."""
        from clio.pipeline import run

        out = self.folder / name
        insights = run(
            pa.Table.from_pylist(list(rows)), out, self.settings, encoder=self.encoder, **overrides
        )
        return insights, out
