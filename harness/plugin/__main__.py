"""``python -m harness.plugin`` is pytest with the harness's plugin, for `resumption run`."""

from __future__ import annotations

import os
import sys

FAILED = 1
INTERRUPTED = 130
"""128 + SIGINT, as a shell reports it; pytest's own 2 is for a run that has begun."""

if __name__ == "__main__":
    try:
        from harness.plugin.command import main

        code = main(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:  # before pytest's session, which ends with a code of its own
        sys.stderr.write("interrupted\n")
        code = INTERRUPTED
    except OSError as error:  # of the output, where pytest cannot say so either
        sys.stderr.write(f"error: {error.filename or 'standard output'} cannot be written: {error.strerror}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    sys.exit(code)
