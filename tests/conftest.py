"""The same random examples and the same signals in every run.

Other examples: ``pytest --hypothesis-profile explore``.
"""

import os
import signal
import threading

from hypothesis import settings

settings.register_profile("linrep", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("explore", deadline=None, print_blob=True, max_examples=1000)
settings.load_profile("linrep")

# A machine that is busy, or sleeps for a while, answers no heartbeats: it is not dead.
os.environ.setdefault("RAY_health_check_failure_threshold", "1000")


def _hear_nothing_here(*_):
    """In this process a signal that was ignored still changes nothing."""


def _usual_signals_below():
    """Commands that tests begin get signals as usual, also below ``nohup`` or in the background.

    What is ignored or blocked stays so in processes begun from here; a handler does not.
    """
    numbers = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
    for number in numbers:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _hear_nothing_here)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


if threading.current_thread() is threading.main_thread():
    _usual_signals_below()
