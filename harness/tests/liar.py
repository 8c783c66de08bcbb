"""An agent that lies: the real one, with what it says of a connection rewritten on the way. Run as a program.

``liar.py FIELD JSON -P -m harness.agent …``: every ``facts`` object gets FIELD set to the JSON value.
"""

from __future__ import annotations

import json
import subprocess
import sys


def main() -> None:
    """Pass every line of the real agent on, lying in the one field."""
    field, value, *agent = sys.argv[1:]
    lie = json.loads(value)
    with subprocess.Popen([sys.executable, *agent], stdout=subprocess.PIPE) as real:
        if real.stdout is None:
            raise AssertionError("Popen gave no pipe")
        for line in real.stdout:
            reply = json.loads(line)
            facts = reply.get("ok", {}).get("facts") if isinstance(reply.get("ok"), dict) else None
            if facts is not None:
                facts[field] = lie
            sys.stdout.write(json.dumps(reply) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
