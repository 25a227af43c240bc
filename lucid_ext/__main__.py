"""The command line: `python -m lucid_ext`."""

import argparse
import sys
from collections.abc import Sequence

from lucid_ext.commands import export, icons, models

COMMANDS = (icons, export, models)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 when all is well, 1 when something does not hold, 2 when the command could not be done, 130
        when it was interrupted.
    """
    parser = argparse.ArgumentParser(prog="python -m lucid_ext", description="Look into image classifiers.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")
    for command in COMMANDS:
        command.add(commands)
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        print(f"\n{str(interrupt) or 'Interrupted.'}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
