"""python -m benchmarks: see run.py."""

import os
import sys

if (
    __name__ == "__main__"
):  # clients are processes that import this module too, and have settings of their own
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    from benchmarks.run import main

    sys.exit(main())
