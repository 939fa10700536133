"""Where runs are made to be measured or attacked: a log, the settings of its runs, and a private folder for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from clio.insights import Insights
from clio.models.protocols import Embedder
from clio.models.roles import Roles
from clio.settings import Settings

#: one conversation of a log: id, user, messages ([{role, content}]), and whatever else the log tells
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ground:
    """The rows of a log, the settings of its runs, and where they are made (private: they hold the log).

    ``encoder`` and ``roles`` are used by all runs instead of the settings' embedder and chat models, so that what comes again is neither
    embedded nor asked again.
    """

    rows: Sequence[Row] = field(repr=False)
    settings: Settings
    folder: Path
    encoder: Embedder | None = field(default=None, repr=False)
    roles: Roles | None = field(default=None, repr=False)

    def run(self, name: str, rows: Sequence[Row], **overrides: Any) -> tuple[Insights, Path]:
        """Run a log of some rows; its insights and its run folder, ``folder/name``."""
        from clio.pipeline import run

        out = self.folder / name
        table = pa.Table.from_pylist(list(rows))
        insights = run(table, out, self.settings, encoder=self.encoder, roles=self.roles, **overrides)
        return insights, out
