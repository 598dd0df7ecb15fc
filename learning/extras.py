"""What is installed only where it is asked for."""

from importlib.util import find_spec

TRANSFORMERS = ("torch", "transformers", "accelerate")
HOW_TO = (
    "install the extra: pip install 'nightshift[transformer]', or `make transformer` in a checkout"
)


def lacking() -> tuple[str, ...]:
    """Of the libraries that transformers need, those that are not installed."""
    return tuple(name for name in TRANSFORMERS if find_spec(name) is None)
