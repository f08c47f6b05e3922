"""The command line: each command parses, calls one function and prints."""

import signal
import sys
from io import TextIOWrapper
from typing import NoReturn

import click

from bnsearch.cli.report import report
from bnsearch.cli.search import coarse, confirm, final, fine, run
from bnsearch.cli.study import reset, status
from bnsearch.errors import BnsearchError

EXIT_BUG = 1
EXIT_REFUSED = 2  # what was asked cannot be done; the line on stderr says why
EXIT_INTERRUPTED = 130


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100},
    invoke_without_command=True,
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="bnsearch")
@click.pass_context
def commands(context: click.Context, debug: bool) -> None:
    """Search hyperparameters of batch-normalised fully connected networks: coarse, fine, confirm, final.

    \b
    Examples:
      bnsearch run digits                 everything, on the digits that come with it
      bnsearch coarse my-study.toml       the first stage of a study file of your own
      bnsearch status digits
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(EXIT_REFUSED)


for command in (coarse, fine, confirm, final, run, status, report, reset):
    commands.add_command(command)


def main() -> None:
    """Run the command line; a refusal is one line on stderr and exit code 2."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # λ as ? on a terminal that has no λ
    debug = "--debug" in sys.argv
    try:
        sys.exit(commands(standalone_mode=False))
    except (KeyboardInterrupt, click.Abort):
        # a second Ctrl-C while the workers end their calls would break the wait for them, and hang for ever
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _stop("interrupted; nothing is lost: run the same command again to go on.", EXIT_INTERRUPTED)
    except click.ClickException as error:
        command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "bnsearch"
        _stop(f"{error.format_message()} (see {command} --help)", EXIT_REFUSED)
    except Exception as error:
        if debug:
            raise
        if isinstance(error, BnsearchError):
            _stop(str(error), EXIT_REFUSED)
        _stop(f"unexpected {type(error).__name__}: {error} (a bug; bnsearch --debug … shows where)", EXIT_BUG)


def _stop(text: str, exit_code: int) -> NoReturn:
    click.echo(f"bnsearch: {' '.join(text.split())}", err=True)
    sys.exit(exit_code)
