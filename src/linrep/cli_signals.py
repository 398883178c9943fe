"""Signals that end a command: Ctrl-C, a terminal that closes, a scheduler's notice."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from .cli_terminal import for_stream

__all__ = ["end_of", "listening"]

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "ended by SIGTERM"}
if hasattr(signal, "SIGHUP"):  # not on Windows
    WORDS[signal.SIGHUP] = "ended, the terminal closed (SIGHUP)"


@contextmanager
def listening() -> Iterator[list[int]]:
    """While open, SIGTERM and SIGHUP end a command as Ctrl-C does: everything is tidied up.

    A signal that is ignored stays ignored (``nohup``). A second signal while things are tidied up
    changes nothing; SIGKILL always works. Handlers are put back at the end.

    Yields:
        The numbers of the signals received.
    """
    received: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        received.append(number)
        if len(received) == 1:
            raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in WORDS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, end)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_of(received: list[int]) -> NoReturn:
    """Say in one line what ended the command, and exit with 128 + the signal's number.

    Raises:
        SystemExit: always.
    """
    # A Ctrl-C inside ``exec`` of a string (imports run one for every dataclass) marks CPython to
    # die of SIGINT at exit although we catch the exception here; the next ``exec`` of a string
    # that ends well takes the mark away (run_eval_code_obj in pythonrun.c).
    exec("")
    number = received[0] if received else signal.SIGINT
    word = WORDS.get(signal.Signals(number), "ended")
    with suppress(BrokenPipeError):  # a reader who has gone changes no status
        said = for_stream(f"linrep: {word}; nothing half-written is left", sys.stderr)
        print(said, file=sys.stderr)
    raise SystemExit(128 + number) from None
