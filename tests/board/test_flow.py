"""Flows as data: paths against a slow enumeration, sentences, and what does not fit together."""

import dataclasses
import itertools

import numpy as np
import pytest

from lucid_ext.board import Board, Grid, Heat, Ranking
from lucid_ext.board.comparison import pair
from lucid_ext.board.panels.flow import Flow
from tests.board.test_board import PICTURE, broken, equal

SIZES = (3, 4, 3, 2)


def flow(sizes=SIZES, seed=0, **changes) -> Flow:
    """Columns of nodes of which the last of each inner column is reached by nothing."""
    rng = np.random.default_rng(seed)
    n, last = sum(sizes), sizes[-1]
    pairs = list(itertools.pairwise(sizes))
    links = [(rng.normal(size=p) + 0.7).astype(np.float32) for p in pairs]
    for links_of in links[:-1]:
        links_of[:, -1] = 0
    names = [f"c{c}:{i}" for c, size in enumerate(sizes) for i in range(size)]
    fields = {
        "columns": [f"column {c}" for c in range(len(sizes))],
        "sizes": list(sizes),
        "labels": names,
        "marks": [name.partition(":")[2] for name in names],
        "notes": ["rest" if n == 6 else "" for n in range(n)],
        "links": links,
        "measured": [(0.8 * a).astype(np.float32) for a in links],
        "laws": [f"law {p}" for p in range(len(pairs))],
        "straight": rng.normal(size=(n - last, last)).astype(np.float32),
        "straight_measured": rng.normal(size=(n - last, last)).astype(np.float32),
        "ends": [f"What adds up to end {k}." for k in range(last)],
        "places": np.arange(n) < n - last,
        "colours": [f"#{c:06x}" for c in rng.integers(0, 0xFFFFFF, n)],
        "most": 6,
        "drafts": rng.integers(0, 255, (2, 16, 16, 3), dtype=np.uint8),
        "draft_of": np.where(np.arange(n) < 2, np.arange(n), -1).astype(np.int32),
    }
    return Flow("flow", "Flow", **{**fields, **changes})


def flow_board(sizes=SIZES, seed=0, **choice) -> Board:
    made = flow(sizes, seed)
    weights = np.random.default_rng(seed).random((len(made), 6), dtype=np.float32)
    return Board(
        "A flow",
        "Follow it.",
        [made, Grid("image", "Picture", PICTURE, 2, 3)],
        [Heat("flow", "image", weights, law="where it is")],
        caption=["{flow}", "Nothing is selected."],
        choice=choice,
    )


def slow(made: Flow, nodes):
    """Every path on its own: the share of each link in all that reaches a node, times the last link."""
    starts = np.concatenate([[0], np.cumsum(made.sizes)])
    found = np.zeros(made.sizes[-1])
    columns = range(len(made.sizes))
    chosen = [[n - starts[c] for n in nodes if starts[c] <= n < starts[c + 1]] for c in columns]

    def value(path, begin):
        carried = 1.0
        for c, (i, j) in enumerate(itertools.pairwise(path[:-1]), begin):
            into = made.links[c][:, j]
            carried *= into[i] / into.sum()
        return carried * made.links[-1][path[-2], path[-1]]

    for begin in columns[:-1]:
        if any(chosen[:begin]):
            continue
        for path in itertools.product(*(range(size) for size in made.sizes[begin:])):
            if begin and made.links[begin - 1][:, path[0]].any():
                continue  # something leads to its first node: it begins earlier
            if any(not made.links[begin + k][:, j].any() for k, j in enumerate(path[1:-1])):
                continue  # nothing leads to a later one
            if all(not own or p in own for own, p in zip(chosen[begin:], path, strict=True)):
                found[path[-1]] += value(path, begin)
    return found


@pytest.mark.parametrize(
    "nodes", [[], [0], [4], [5], [6], [0, 1], [0, 4], [4, 8], [6, 8], [0, 6], [0, 4, 8, 11], [10], [9, 10]]
)
def test_paths_add_up_as_one_by_one(nodes):
    made = flow()
    np.testing.assert_allclose(made.adds_up(nodes), slow(made, nodes), rtol=1e-5, atol=1e-6)


def test_all_paths_together_are_the_links_into_the_end():
    made = flow()
    np.testing.assert_allclose(made.adds_up([]), made.links[-1].sum(0), rtol=1e-5)
    by_node = sum(made.adds_up([node]) for node in range(3, 7))  # and those that begin further on
    np.testing.assert_allclose(by_node + made.links[-1][2], made.links[-1].sum(0), rtol=1e-5)


def test_shares_of_what_cancels_out_are_not_taken():
    made = flow((2, 2, 1), links=[np.float32([[1, 1], [-1, 1]]), np.float32([[3], [5]])], measured=[
        np.zeros((2, 2), np.float32), np.zeros((2, 1), np.float32)
    ])  # fmt: skip
    assert made.adds_up([0]).tolist() == [2.5]
    assert made.adds_up([]).tolist() == [8.0]


def test_it_tells_what_is_selected():
    made = flow()
    sums = made.adds_up([0])
    assert made.tell([0]).startswith(
        f"The paths through c0:0 add up to {sums[np.abs(sums).argmax()]:+.2f} on ".replace("-", "−")
    )
    assert f"straight to it {made.straight[0, 0]:+.2f}, measured {made.straight_measured[0, 0]:+.2f}".replace(
        "-", "−"
    ) in made.tell([0, 10])
    assert "straight" not in made.tell([8])
    said = made.tell([4, 1])
    assert said.startswith(
        f"From c0:1 to c1:1: attribution {made.links[0][1, 1]:+.2f}, measured "
        f"{made.measured[0][1, 1]:+.2f}. The paths through c0:1 and c1:1 add up to ".replace("-", "−")
    )
    assert made.tell([0, 1, 4]).startswith("The paths through c0:0, c0:1 and c1:1 add up to ")
    assert made.tell([8, 11]).startswith("From c2:1 to c3:1: attribution ")
    assert "paths" not in made.tell([8, 11])
    assert made.tell([11]) == "What adds up to end 1."


def test_a_board_tells_it_too():
    b = flow_board()
    assert b.describe({"flow": [4]}) == b["flow"].tell([4])
    assert b.describe({}) == "Nothing is selected."


def test_selected_nodes_are_carried_by_name():
    before, after = flow_board((3, 4, 2)), flow_board((2, 4, 2))
    assert after.carry({"flow": [1, 2, 3]}, before) == {"flow": [1, 2]}  # c0:2 is gone
    assert after.carry({"flow": [2]}, before) == {}


def test_round_trip(tmp_path):
    flow_board().save(tmp_path / "board.npz")
    assert equal(Board.load(tmp_path / "board.npz"), flow_board())


def test_what_does_not_fit_is_refused():
    made = flow()
    links = made.links
    assert "labels of flow 'flow' are 2; expected 12, a node each" in broken(lambda: flow(labels=["a", "b"]))
    assert "links of flow 'flow' have shapes [(3, 4)]" in broken(lambda: flow(links=links[:1]))
    assert "expected [(3, 4), (4, 3), (3, 2)], finite" in broken(
        lambda: flow(links=[a * np.nan for a in links])
    )
    assert "straight of flow 'flow' is (3, 2); expected (10, 2)" in broken(
        lambda: flow(straight=made.straight[:3])
    )
    assert "expected two columns or more" in broken(lambda: flow(laws=[]))
    assert "ends or most of flow 'flow' are too few; expected 2 and 4" in broken(lambda: flow(most=3))
    assert "needs drafts and draft_of together" in broken(lambda: flow(draft_of=None))
    b = flow_board()
    ranking = Ranking("flow", "flow", np.zeros((12, 1), np.int32), np.zeros((12, 1), np.float32))
    assert "starts at a flow" in broken(lambda: dataclasses.replace(b, links=[ranking]))
    assert "a flow has no pair" in broken(lambda: pair(b, b))
