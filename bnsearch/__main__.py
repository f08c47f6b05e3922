"""`bnsearch` and `python -m bnsearch`."""

import signal


def main() -> None:
    """Run the command line; Ctrl-C before it is loaded ends the process without a word, for nothing has begun."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from bnsearch.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
