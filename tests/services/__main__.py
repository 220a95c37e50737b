"""`python -m tests.services up | fetch | run`: the tests' services for a developer, their downloads ahead of time, and a
program beside them.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from tests.services.errors import ServiceError
from tests.services.known_services import SERVICES, KnownService


def _names(text: str) -> list[KnownService]:
    try:
        return [SERVICES[name] for name in text.split(",")]
    except KeyError as exc:
        raise argparse.ArgumentTypeError(f"no service {exc}; there are {', '.join(SERVICES)}") from exc


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _up(wanted: Sequence[KnownService]) -> None:
    """Run until SIGINT or SIGTERM; addresses go to stdout as lines that a shell can export."""
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell's background jobs start with it ignored
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as closing:
        services = [known.provide() for known in wanted]
        for service in services:
            closing.callback(service.close)
        try:
            threads = closing.enter_context(ThreadPoolExecutor(len(services)))
            _say(f"starting {', '.join(known.name for known in wanted)} …")
            for known, start in zip(wanted, [threads.submit(service.start) for service in services], strict=True):
                print(f"{known.setting}={start.result()}", flush=True)
            _say("running; Ctrl-C stops all of them and deletes their data")
            while True:
                signal.pause()
        except KeyboardInterrupt:
            _say("stopping …")


def _run(wanted: Sequence[KnownService], command: Sequence[str]) -> int:
    """Run a command with the addresses of the services in its environment; they go when it ends. Return its exit code."""
    with ExitStack() as closing:
        environment = dict(os.environ)
        for known in wanted:
            service = known.provide()
            closing.callback(service.close)
            _say(f"starting {known.name} … (the first time its files are fetched)")
            environment[known.setting] = service.start()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the command's, which then ends
        restored = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(command, env=environment, preexec_fn=restored)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


def _fetch(wanted: Sequence[KnownService]) -> None:
    for known in wanted:
        if known.fetch is not None:
            _say(f"fetching {known.name} …")
            known.fetch()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when done or stopped as asked, 1 if a service failed, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__)
    parser.add_argument("act", choices=("up", "fetch", "run"))
    parser.add_argument("--only", type=_names, default=list(SERVICES.values()), metavar="NAME,…")
    parser.add_argument("command", nargs="*", help="what to run, after --")
    options = parser.parse_args(arguments)
    try:
        if options.act == "run":
            return _run(options.only, options.command)
        {"up": _up, "fetch": _fetch}[options.act](options.only)
    except ServiceError as exc:
        _say(f"{type(exc).__name__}: {exc}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
