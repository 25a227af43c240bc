"""`models`: check networks."""

import argparse
from pathlib import Path
from typing import Any

from lucid_ext.commands.table import print_table


def add(commands: Any) -> None:
    """Say what the command takes."""
    parser = commands.add_parser("models", help="check networks", description="Networks.")
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
    from lucid_ext.models import inception_v1
    from lucid_ext.models.verify import PUBLISHED, Row, read_expectations, verify

    expected = read_expectations(chosen.expected or PUBLISHED)
    rows = []
    try:
        inception_v1.check(model.graph_def, model.name)
        rows.append(Row("nodes and weights", f"{len(model.layers)} layers", "as published", True))
    except ValueError as error:
        if chosen.expected is None:
            raise ValueError(
                f"{model.name} is not InceptionV1, of which alone numbers were published, so there is "
                "nothing to compare it with: give expectations of its own with --expected and --images."
            ) from error
    if chosen.images is not None:
        rows += verify(model, chosen.images, expected)
    cells = [(r.what, r.found, r.expected, _verdict(r.holds)) for r in rows]
    print_table([(model.name, "found", "expected", ""), *cells])
    missed = sum(not row.holds for row in rows)
    if chosen.images is None:
        print("No pictures were compared: give their folder with --images.")
    if rows:
        print(f"{missed} of {len(rows)} do not hold." if missed else f"All {len(rows)} hold.")
    return 1 if missed else 0


def _verdict(holds: bool) -> str:
    return "holds" if holds else "MISS"
