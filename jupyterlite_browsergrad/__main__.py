"""``python -m jupyterlite_browsergrad`` is ``jupyter browsergrad``."""

import sys

from .cli import main

sys.exit(main())
