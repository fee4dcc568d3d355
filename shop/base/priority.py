"""Who goes first when there is more to do than the machine can do at once."""

from __future__ import annotations

import os
import time
from pathlib import Path

STEPS_BACK = 10  # as `nice` counts
ATTEMPTS = 20  # Linux takes one such wish in 0.1 s, of all who are not root


def give_way() -> None:
    """Let others go first: the web server, for whose answer somebody waits, and the databases.

    For a process that works off what is stored. It still gets all that others leave; and when it gets less, more comes
    together in each set, which costs less. Linux shares its processors out among sessions before it looks at processes,
    so the session steps back, too, if it is this process's own.
    """
    os.nice(STEPS_BACK)
    if os.getsid(0) != os.getpid():
        return
    for _ in range(ATTEMPTS):
        try:
            Path("/proc/self/autogroup").write_text(str(STEPS_BACK))
        except BlockingIOError:
            time.sleep(0.1)
        except OSError:  # there are no such groups here
            return
        else:
            return
