"""What others' errors say, as a line of ours goes on."""


def reason_of(error: object, most: int = 200) -> str:
    """The words of an error in one line, at most so many characters, without a full stop.

    >>> reason_of(ValueError("no\\n  header."))
    'no header'
    """
    return " ".join(str(error).split())[:most].rstrip(".")


def named_reason(error: Exception, most: int = 200) -> str:
    """The same, after the class of the error."""
    return reason_of(f"{type(error).__name__}: {error}", most)
