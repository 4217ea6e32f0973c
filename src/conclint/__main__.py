"""`python -m conclint`."""

from __future__ import annotations

import sys

from conclint.cli import main

if __name__ == "__main__":
    sys.exit(main())
