"""Run of all tests in two processes side by side, each with services of its own: python -m tests.side_by_side [OPTION…]

Most tests wait for servers to start, stop and recover, which two can do at once. The options are pytest's.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

TESTS = Path(__file__).parent
FAULTS = ("attacks", "contracts", "kafka", "services", "suites", "test_containers.py")
"""What runs in the first process, about as long as all the rest in the second."""
NOTHING_COLLECTED = 5


def main() -> int:
    faults = [TESTS / name for name in FAULTS]
    others = sorted(path for path in TESTS.iterdir() if _has_tests(path) and path not in faults)
    with tempfile.TemporaryFile("w+") as first, tempfile.TemporaryFile("w+") as second:
        runs = [(_pytest(faults, first), first), (_pytest(others, second), second)]
        codes = [_ended(process, output) for process, output in runs]
    # One of the two may have nothing of what the options choose, but not both.
    return max(map(abs, [code for code in codes if code != NOTHING_COLLECTED] or codes))


def _has_tests(path: Path) -> bool:
    return any(path.rglob("test_*.py")) if path.is_dir() else path.match("test_*.py")


def _pytest(paths: list[Path], output: IO[str]) -> "subprocess.Popen[bytes]":
    # The cache is not made for two who write it at once.
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *sys.argv[1:], *map(str, paths)]
    return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=TESTS.parent)


def _ended(process: "subprocess.Popen[bytes]", output: IO[str]) -> int:
    code = process.wait()
    output.seek(0)
    sys.stdout.writelines(output)
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
