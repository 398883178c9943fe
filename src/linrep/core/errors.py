"""The one base class of every error that linrep raises for a user's mistake."""

__all__ = ["LinrepError"]


class LinrepError(Exception):
    """A mistake the caller can mend.

    The message says what went wrong, what was received, what was expected and how to
    mend it. The command line prints it without a traceback and exits with status 2.
    Packages derive their own, narrower classes from it.

    >>> raise LinrepError("height 9 is outside the grammar: it has heights 1..3")
    Traceback (most recent call last):
    ...
    linrep.core.errors.LinrepError: height 9 is outside the grammar: it has heights 1..3
    """
