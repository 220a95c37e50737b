"""Start of `procvars`: imports the command line, and runs it."""

import gc


def main() -> None:
    """Run the command of the command line."""
    # An eighth of the time until a command begins was spent on looking for garbage among what is being imported.
    gc.disable()
    from procvars.api.cli.main import main as run

    gc.enable()
    run()


if __name__ == "__main__":
    main()
