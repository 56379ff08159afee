"""`python -m arlon_core ...`: see `arlon_core.cli`."""

from __future__ import annotations

import sys

from arlon_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
