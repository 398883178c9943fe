"""Text that files and tables can hold."""

__all__ = ["encodable"]


def encodable(text: str) -> bool:
    r"""Whether UTF-8 can hold a text; half of a surrogate pair alone it cannot.

    >>> encodable("né"), encodable("\ud800")
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
