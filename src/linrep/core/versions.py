"""Files of another version: who wrote them, and what to do."""

__all__ = ["other_version"]


def other_version(found: int, own: int) -> str:
    """The remedy for a file whose format has another number than the one that is read here.

    Args:
        found: number in the file.
        own: number that this linrep reads; another one.

    >>> other_version(2, 1)
    'a newer linrep wrote it: install a newer one (pip install --upgrade linrep)'
    >>> other_version(1, 2)
    'an older linrep wrote it: read it with that one (CHANGELOG.md names the last that can)'
    """
    if found > own:
        return "a newer linrep wrote it: install a newer one (pip install --upgrade linrep)"
    return "an older linrep wrote it: read it with that one (CHANGELOG.md names the last that can)"
