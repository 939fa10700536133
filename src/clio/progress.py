"""How long a stage still takes: one small callback that every long loop accepts, and what shows it on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

#: called with the number of items finished since the last call
Advance = Callable[[int], None]

_LINE_SECONDS = 10.0


def silent(_count: int) -> None:
    """Advance that shows nothing; the default of every stage."""


class Silent:
    """Shows nothing."""

    @contextmanager
    def stage(self, _name: str, _total: int | None = None) -> Iterator[Advance]:
        """Show nothing."""
        yield silent

    def say(self, text: str) -> None:
        """Say nothing."""


class Lines:
    """Plain lines for logs and pipes: one when a stage ends, and one every ten seconds with share and time left."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def say(self, text: str) -> None:
        """Say one line."""
        print(text, file=self._stream, flush=True)

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[Advance]:
        """Say every ten seconds how far a stage is, and how long it took when it ends."""
        start = said = time.monotonic()
        done = 0

        def advance(count: int) -> None:
            nonlocal done, said
            done += count
            now = time.monotonic()
            if now - said >= _LINE_SECONDS:
                said = now
                left = f", {_left(now - start, done, total)} left" if total and done else ""
                self.say(f"{name}: {done:,}{f' of {total:,}' if total else ''}{left}")

        yield advance
        self.say(f"{name}: {f'{done:,} in ' if done else ''}{time.monotonic() - start:.1f} s")


class Bars:
    """Progress bars with the time left, for a terminal; a stage under two seconds leaves one line."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """Say one line."""
        self._console.print(text, markup=False)

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[Advance]:
        """Show a bar while a stage lasts, and one line when it has ended."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        start = time.monotonic()
        columns = (
            TextColumn("{task.description:<12}"),
            BarColumn(30),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        done = 0
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task(name, total=total)

            def advance(count: int) -> None:
                nonlocal done
                done += count
                bar.update(task, advance=count)

            yield advance
        took = time.monotonic() - start
        self._console.print(
            f"[dim]{name:<12} {f'{done:,}' if done else '':>10}  {took:6.1f} s[/dim]", highlight=False
        )


def _left(elapsed: float, done: int, total: int) -> str:
    seconds = elapsed / done * max(0, total - done)
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


#: shows what a run is doing
Reporter = Silent | Lines | Bars


def reporter(*, quiet: bool = False) -> Reporter:
    """What fits where stderr goes: bars on a terminal, lines elsewhere, nothing if quiet."""
    if quiet:
        return Silent()
    return Bars() if sys.stderr.isatty() else Lines()
