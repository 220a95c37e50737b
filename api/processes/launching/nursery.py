"""The nursery: a process that has everything imported and does nothing but fork children of its parent.

A child of it is there in milliseconds, and shares what was imported with the parent and all others, as neither writes to it.
A process with threads and an event loop cannot be forked safely; so the parent forks the nursery before it has any.

For each child the parent sends one byte with descriptors over the control socket: of the child's status, its stdin, stdout and
stderr, and of what else it inherits. The child itself reads from stdin what it is to be, up to the first end of line. On the
status socket the nursery says the child's id and then its exit code, a line each; a byte from there is the number of a signal
for the child.
"""

import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from setproctitle import setproctitle

from procvars.api.processes.launching.launcher import Assignment

_MOST_DESCRIPTORS = 64
"""Of a child, with those of its streams and its status."""
LINE = b"\n"
ORDER = b"O"


def encoded(assignment: Assignment) -> bytes:
    """Return what a child reads from its stdin."""
    what = {
        "module": assignment.module,
        "arguments": [*assignment.arguments],
        "environment": {**assignment.environment},
        "numbers": [*assignment.pass_fds],
    }
    return json.dumps(what).encode() + LINE


def run_nursery(control: socket.socket) -> NoReturn:
    """Fork a child for each message on `control`, until it is closed by the other end. For a process without threads."""
    os.setsid()  # a Ctrl-C in the terminal is for the parent
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    code = 1
    try:
        _streams_to_nowhere()
        setproctitle(__name__)
        # What is frozen is not traversed, and so not copied, by a child's collections.
        gc.disable()
        gc.freeze()
        nursery = _Nursery(control)
        while nursery.turn():
            pass
        code = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(code)  # whatever happens, this is no second one of the parent


class _Nursery:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, socket.socket] = {}
        """Id → status socket."""
        self._woken, waking = socket.socketpair()
        waking.setblocking(False)
        self._waking = waking
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a handler is what makes it wake
        signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        self._selector = selectors.DefaultSelector()
        for one in (control, self._woken):
            self._selector.register(one, selectors.EVENT_READ)

    def turn(self) -> bool:
        """Do what there is to do next; return whether the parent is still there."""
        for key, _ in self._selector.select():
            if key.fileobj is self._control:
                if not self._take_order():
                    return False
            elif key.fileobj is self._woken:
                self._woken.recv(4096)
                self._bury()
            else:
                self._hear(key.data)
        return True

    def _take_order(self) -> bool:
        said, descriptors, _, _ = socket.recv_fds(self._control, 1, _MOST_DESCRIPTORS)
        if not said:
            return False
        status = socket.socket(fileno=descriptors.pop(0))
        try:
            pid = os.fork()
        except OSError:  # no memory, or too many processes: the parent sees the status end
            traceback.print_exc()
            status.close()
        else:
            if pid == 0:
                self._leave()
                status.close()
                _live(descriptors)
            self._children[pid] = status
            self._selector.register(status, selectors.EVENT_READ, pid)
            _say(status, pid)
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _bury(self) -> None:
        """Tell the exit codes of the children that have ended."""
        with suppress(ChildProcessError):
            while True:
                pid, state = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                status = self._children.pop(pid)
                _say(status, os.waitstatus_to_exitcode(state))
                with suppress(KeyError):
                    self._selector.unregister(status)
                status.close()

    def _hear(self, pid: int) -> None:
        status = self._children.get(pid)
        if status is None:
            return  # it ended in this turn
        if numbers := status.recv(1):
            os.kill(pid, numbers[0])
        else:  # nobody waits for its end any more
            self._selector.unregister(status)

    def _leave(self) -> None:
        """Let go, in a child, of all that is the nursery's."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._selector.close()
        for one in (self._control, self._woken, self._waking, *self._children.values()):
            one.close()


def _say(status: socket.socket, number: int) -> None:
    with suppress(OSError):  # nobody is there who would want to know
        status.sendall(b"%d\n" % number)


def _live(descriptors: Sequence[int]) -> NoReturn:
    """Be what stdin says, to the end of this process."""
    code = 1
    try:
        os.setsid()
        module, arguments = _born(descriptors)
        gc.enable()
        sys.argv = [module, *arguments]
        importlib.import_module(module).main()
        code = 0
    except SystemExit as end:
        code = _exit_code(end)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _born(descriptors: Sequence[int]) -> tuple[str, list[str]]:
    """Put the descriptors in their places, and return module and arguments."""
    streams, further = descriptors[:3], descriptors[3:]
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    what = json.loads(_first_line(0))
    _renumber(further, what["numbers"])
    os.environ.clear()
    os.environ.update(what["environment"])
    setproctitle(" ".join([what["module"], *what["arguments"]]))
    return what["module"], what["arguments"]


def _first_line(descriptor: int) -> bytes:
    line = bytearray()
    while not line.endswith(LINE):
        read = os.read(descriptor, 65_536)
        if not read:
            raise EOFError("the parent ended before it said what to do")
        line += read
    return bytes(line)


def _renumber(descriptors: Sequence[int], numbers: Sequence[int]) -> None:
    """Give the descriptors these numbers, whichever of them are in use by others of them."""
    above = max([*descriptors, *numbers], default=0) + 1
    aside: list[int] = []
    for descriptor in descriptors:
        aside.append(above + len(aside))
        os.dup2(descriptor, aside[-1])
        os.close(descriptor)
    for descriptor, number in zip(aside, numbers, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)


def _streams_to_nowhere() -> None:
    """Leave stdin and stdout to the parent, and stderr open for what children log."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _exit_code(end: SystemExit) -> int:
    """Return the code of `sys.exit(…)` as Python does, which prints what is no number."""
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code
    print(end.code, file=sys.stderr)
    return 1
