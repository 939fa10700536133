"""The stand-in server as a process of its own: ``python -m clio.testing --port 0 --faults 429=0.1,drop=0.05``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys

from clio.testing.http import serve
from clio.testing.state import FAULTS, Fault, Server


def main() -> None:
    """Serve until the process is ended; the first line of output tells the two base addresses."""
    parser = argparse.ArgumentParser(prog="python -m clio.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every answer takes")
    parser.add_argument("--faults", type=_rates, default={}, help="name=rate, separated by commas")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--stall", type=float, default=30.0, help="seconds of silence of the fault 'stall'")
    parser.add_argument("--batch-delay", type=float, default=0.0, help="seconds that a batch job takes")
    parser.add_argument("--limit-per-second", type=float, help="model calls a second; above that: 429")
    parser.add_argument("--gullible", action="store_true", help="obey any order in what it is shown")
    parser.add_argument(
        "--leaky", action="store_true", help="repeat words of users, name groups by an outlier's"
    )
    told = vars(parser.parse_args())
    port = told.pop("port")
    _allow_many_connections()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(Server(**told), port))


async def _serve(server: Server, port: int) -> None:
    """Serve, and tell where."""

    async def forever() -> None:
        """Tell the addresses, then wait for a signal."""
        told = {"openai": server.url, "anthropic": server.anthropic_url}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    await serve(server, port, forever)


def _rates(told: str) -> dict[Fault, float]:
    """Rates of faults by their names, from ``429=0.1,drop=0.05``."""
    known: dict[str, Fault] = {fault: fault for fault in FAULTS}
    found: dict[Fault, float] = {}
    for one in filter(None, told.split(",")):
        name, _, rate = one.partition("=")
        if name not in known:
            raise argparse.ArgumentTypeError(f"no fault {name!r}; there are: {', '.join(FAULTS)}")
        found[known[name]] = float(rate or 1)
    return found


def _allow_many_connections() -> None:
    """Raise this process's limit of open files as far as it may go: each connection takes one."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
