"""A whole run of Clio with an instant embedder: whole_clio.py LOG FOLDER [SERVER]; prints the seconds of embedding and of its stages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from form import peak_mb
from words import Words


class _NoPandas:
    """Hides pandas, which Clio does not install: where a developer's tools bring it, pyarrow and scikit-learn spend time on it."""

    def find_spec(self, name: str, *_: object) -> None:
        """Say that pandas is not there."""
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


sys.meta_path.insert(0, _NoPandas())  # type: ignore[arg-type]

import clio  # noqa: E402 - after pandas is hidden
from clio.run_folder import RunFolder  # noqa: E402


def main() -> None:
    """Run, with the chat model at a server if one is told."""
    log, folder, *server = sys.argv[1:]
    encoder, out = Words(), Path(folder) / "run"
    clio.run(
        log,
        out,
        users="conversation",
        encoder=encoder,
        model=f"openai:stand-in@{server[0]}" if server else None,
    )
    stages = RunFolder(out).facts()["seconds"]
    print(json.dumps({"embedding": encoder.seconds, "peak_mb": peak_mb(), "stages": stages}))


if __name__ == "__main__":
    main()
