"""``python -m linrep``: the same as the command ``linrep``."""

from .entry import main

if __name__ == "__main__":
    main()
