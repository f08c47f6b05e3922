"""The command line: each command parses, calls one function and prints."""

import sys

import click

from bnsearch.cli.search import coarse, confirm, final, fine, run
from bnsearch.cli.study import reset, status
from bnsearch.errors import BnsearchError

EXIT_BUG = 1
EXIT_REFUSED = 2  # what was asked cannot be done; the line on stderr says why
EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="bnsearch")
def commands(debug: bool) -> None:
    """Search hyperparameters of batch-normalised fully connected networks: coarse, fine, confirm, final.

    \b
    Examples:
      bnsearch run digits                 everything, on the digits that come with it
      bnsearch coarse my-study.toml       the first stage of a study file of your own
      bnsearch status digits
    """


for command in (coarse, fine, confirm, final, run, status, reset):
    commands.add_command(command)


def main() -> None:
    """Run the command line; a refusal is one line on stderr and exit code 2."""
    debug = "--debug" in sys.argv
    try:
        commands(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_REFUSED)
    except (KeyboardInterrupt, click.Abort):
        click.echo("bnsearch: interrupted; nothing is lost: run the same command again to go on.", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except BnsearchError as error:
        if debug:
            raise
        click.echo(f"bnsearch: {error}", err=True)
        sys.exit(EXIT_REFUSED)
    except Exception as error:
        if debug:
            raise
        text = " ".join(str(error).split())
        click.echo(f"bnsearch: unexpected {type(error).__name__}: {text} (a bug; --debug shows where)", err=True)
        sys.exit(EXIT_BUG)
