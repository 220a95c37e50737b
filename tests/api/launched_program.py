"""A child that says what it was launched with: `main()` prints it as JSON, and ends as its first argument says."""

import json
import os
import signal
import sys


def main() -> None:
    """Print arguments, environment and what the descriptors given as further arguments read."""
    how, *numbers = sys.argv[1:]
    read = [os.read(int(number), 100).decode() for number in numbers]
    print(json.dumps({"environment": dict(os.environ), "read": read, "session": os.getsid(0), "pid": os.getpid()}))
    sys.stdout.flush()
    match how:
        case "return":
            return
        case "exit":
            sys.exit(7)
        case "words":
            sys.exit("what it says last")
        case "error":
            raise ValueError("unforeseen")
        case "wait":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.read(0, 1)
        case "hang":
            signal.pause()


if __name__ == "__main__":
    main()
