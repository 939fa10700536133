"""What the tests look for: the run that is shown, and where its clusters stand on the page."""

from __future__ import annotations

import base64
from typing import Any

from clio.explorer.answers import Answers

from . import made

RUN = Answers("april", made.made())
COLUMNS = RUN.clusters
#: clusters by size, as the tree lists those of one parent
TOPS = sorted(
    (i for i, parent in enumerate(COLUMNS.parent) if parent is None), key=lambda i: -COLUMNS.conversations[i]
)
#: every screen, by query
SCREENS = (
    "",
    f"c={COLUMNS.id[TOPS[0]]}",
    f"view=table&c={COLUMNS.id[TOPS[1]]}",
    "view=changes",
    f"view=cluster&c={COLUMNS.id[TOPS[0]]}",
    "view=run",
    "run=nothing",
)


def expect(what: Any) -> Any:
    from playwright.sync_api import expect as expecting

    expecting.set_options(timeout=15_000)
    return expecting(what)


def hues(page: Any, picture: bytes) -> int:
    """How many bright colours, told apart by 16 steps a channel, a PNG shows on over a hundred pixels each."""
    return int(
        page.evaluate(
            """async (packed) => {
                const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
                const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
                const pen = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
                pen.drawImage(picture, 0, 0);
                const { data } = pen.getImageData(0, 0, picture.width, picture.height);
                const found = new Map();
                for (let i = 0; i < data.length; i += 4) {
                    const colour = [data[i], data[i + 1], data[i + 2]];
                    if (Math.max(...colour) - Math.min(...colour) < 60) continue;
                    const key = colour.map((one) => one >> 4).join();
                    found.set(key, (found.get(key) ?? 0) + 1);
                }
                return [...found.values()].filter((n) => n > 100).length;
            }""",
            base64.b64encode(picture).decode(),
        )
    )


def inside(cluster: int) -> list[int]:
    """The children of a cluster, the largest first."""
    return [COLUMNS.id.index(id_) for id_ in RUN.detail(COLUMNS.id[cluster]).children]


def item(page: Any, cluster: int) -> Any:
    """The row of a cluster in the tree."""
    return page.locator(f"#cluster-{cluster}")


def place(page: Any, cluster: int) -> tuple[float, float]:
    """Where a cluster stands on the page, in pixels."""
    x, y = page.evaluate("(cluster) => window.__map.place(cluster)", cluster)
    box = page.locator(".map-stage").bounding_box()
    return box["x"] + x, box["y"] + y
