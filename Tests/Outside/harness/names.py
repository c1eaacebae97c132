"""Names of a test's cases."""


def name(value) -> str:
    """Of whatever type; that of a set is the same in each of the processes that collect the tests."""
    return str(sorted(value)) if isinstance(value, set) else str(value)
