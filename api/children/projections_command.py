"""A command `procvars projections …` that a server was asked for: `python -m procvars.api.children.projections_command`.

To the server alone it tells by an exit code of its own that another rebuild or check of the projection runs already.
"""

from procvars.api.cli.failures import failures_in_a_line
from procvars.api.cli.main import app
from procvars.api.processes.exit_codes import ANOTHER_RUNS
from procvars.projections.rebuilding.rebuild import RebuildRunning


def main() -> None:
    """Run the command line with the arguments of this process."""
    with failures_in_a_line({RebuildRunning: ANOTHER_RUNS}):
        app()


if __name__ == "__main__":
    main()
