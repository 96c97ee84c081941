"""What a conversion tells about itself: one JSON object a line, on stderr, for the command that runs it."""

from __future__ import annotations

import json
import sys
import time

EVERY_SECONDS = 0.2


class Progress:
    """A step of a conversion; called with (done, total)."""

    def __init__(self, step: str) -> None:
        self.step, self.last = step, 0.0
        self(0, 1)

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and done > 0 and now - self.last < EVERY_SECONDS:
            return
        self.last = now
        print(json.dumps({"step": self.step, "fraction": round(done / max(total, 1), 4)}), file=sys.stderr, flush=True)


def silent(done: int, total: int) -> None:
    """For callers that do not listen."""
