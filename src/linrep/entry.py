"""The command's first step: a Ctrl-C while Python still imports ends it without a traceback."""

import signal
import threading

__all__ = ["main"]


def main() -> None:
    """Import the command line with the system's own reaction to Ctrl-C, then run it."""
    python = signal.getsignal(signal.SIGINT)
    quiet = python is signal.default_int_handler
    quiet = quiet and threading.current_thread() is threading.main_thread()
    if quiet:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .cli import main as run

    if quiet:
        signal.signal(signal.SIGINT, python)
    run()
