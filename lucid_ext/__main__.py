"""The command line: `python -m lucid_ext`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 when all is well, 1 when something does not hold, 2 when the command could not be done.
    """
    parser = argparse.ArgumentParser(prog="python -m lucid_ext", description="Look into image classifiers.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")
    _add_models(commands.add_parser("models", help="networks", description="Networks."))
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2


def _add_models(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")
    text = "Load a network, checking every node and weight, and compare it with what was published of it."
    verify = commands.add_parser("verify", help="check a network against published numbers", description=text)
    verify.add_argument("model", help="inception_v1, or the path of a graph")
    verify.add_argument(
        "--images", type=Path, metavar="FOLDER", help="with the article's pictures: pig.jpeg, beer.jpeg, ..."
    )
    verify.add_argument(
        "--expected", type=Path, metavar="FILE", help="other expectations, JSON; by default the article's"
    )
    verify.set_defaults(run=_verify)


def _verify(chosen: argparse.Namespace) -> int:
    import lucid_ext as lx

    if chosen.images is not None and not chosen.images.is_dir():
        raise ValueError(f"{chosen.images} is no folder; expected one with the pictures to compare on.")
    model = lx.load_model(chosen.model)
    from lucid_ext.models.verify import PUBLISHED, Row, read_expectations, verify

    rows = [Row("nodes and weights", f"{len(model.layers)} layers", "as published", True)]
    expected = read_expectations(chosen.expected or PUBLISHED)
    if chosen.images is not None:
        rows += verify(model, chosen.images, expected)
    cells = [("", "found", "expected", ""), *((r.what, r.found, r.expected, _verdict(r.holds)) for r in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(3)]
    for row in cells:
        print(
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[3], sep="  "
        )
    missed = sum(not row.holds for row in rows)
    if chosen.images is None:
        print("No pictures were compared: give their folder with --images.")
    print(f"{missed} of {len(rows)} do not hold." if missed else f"All {len(rows)} hold.")
    return 1 if missed else 0


def _verdict(holds: bool) -> str:
    return "holds" if holds else "MISS"


if __name__ == "__main__":
    sys.exit(main())
