"""The processes of a server, without those of its database."""

from tests.processes import children_of, descendants

HEAVY_LANE = "procvars.api.children.heavy_lane"


def processes(server: int) -> dict[int, str]:
    """Id → command line of the server's process and those it has started, without the database's."""
    return {pid: command for pid, command in {server: "", **descendants(server)}.items() if "postgres" not in command}


def lane_of(server: int) -> int | None:
    """The id of the server's heavy lane, while there is one."""
    return next(iter(children_of(server, HEAVY_LANE)), None)
