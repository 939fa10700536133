"""The command line: one file a verb, each reads flags, calls the library and prints. Data on stdout, all else on stderr."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from clio.errors import ClioError
from clio.process import seldom_collected
from clio.version import __version__

_VERBS = {
    "run": "Read logs and make their insights.",
    "estimate": "Say what a run would cost, before any text leaves.",
    "demo": "Make and explore the insights of the bundled sample.",
    "explore": "Serve the explorer of one or more runs on this machine.",
    "show": "Print the tree of a run, or one cluster.",
    "export": "Write the published zone as one HTML page, Parquet, JSON, CSV, Markdown.",
    "attack": "Attack what a run publishes, and say how often it succeeds.",
    "evaluate": "Hold runs against labels, or let people rate one.",
    "purge": "Delete a run's private zone; all else still works.",
    "ledger": "List the releases that new ones are held against.",
    "sources": "List the log formats that are understood.",
}


class _Verbs(click.Group):
    """Imports a verb only when it is called, so that ``clio --help`` is instant."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in _VERBS:
            return None
        with seldom_collected():
            command: click.Command = getattr(import_module(f"clio.cli.{name}"), name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="clio")
def cli() -> None:
    """See what people do with your AI, without reading what they wrote."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a user's mistake is one line and exit code 2, a stopped run 130, a bug 70."""
    try:
        code = cli.main(arguments, prog_name="clio", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except ClioError as error:
        _end(str(error), 2)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        _end(f"{error.format_message()} (see clio --help)", 2)
    except (KeyboardInterrupt, click.Abort) as error:
        # an answer of "no" to a question has no cause
        asked = isinstance(error, click.Abort) and not isinstance(error.__cause__, KeyboardInterrupt)
        _end("nothing was done" if asked else "stopped; run the same command again to go on", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("CLIO_DEBUG"):
            raise
        # neither message nor traceback: either may hold text of a person
        at: Any = error.__traceback__
        while at and at.tb_next:
            at = at.tb_next
        where = f"{os.path.basename(at.tb_frame.f_code.co_filename)}:{at.tb_lineno}" if at else "unknown"
        _end(
            f"this is a bug: {type(error).__name__} at {where}; please report it (CLIO_DEBUG=1 shows more, which may hold private text)",
            70,
        )


def _end(text: str, code: int) -> None:
    click.echo(f"clio: {' '.join(text.split())}", err=True)
    sys.exit(code)
