// node --test tests/widgets/selection.test.js

import assert from "node:assert/strict";
import { test } from "node:test";
import { Selection } from "../../lucid_ext/widgets/static/selection.js";

const grid = (name, rows, cols, start, scene = "photo") => [
  name,
  { kind: "grid", name, rows, cols, size: rows * cols, start, scene },
];
const list = (name, labels, shown = 2, most = labels.length) => [
  name,
  { kind: "units", name, labels, size: labels.length, start: null, shown, most },
];
const heat = (source, target, weights, scale = null) => ({
  kind: "heat",
  source,
  target,
  weights: Float32Array.from(weights.flat()),
  width: weights[0].length,
  scale,
});
const ranking = (source, target, atoms) => ({
  kind: "ranking",
  source,
  target,
  atoms: Int32Array.from(atoms.flat()),
  values: Float32Array.from(atoms.flat(), (atom) => atom / 10),
  width: atoms[0].length,
});
const board = (panels, links = [], trail = null) => ({ panels: new Map(panels), links, trail });

/** Two grids of one scene, 2 x 2 and 4 x 4, and units that light the first; only the second fills the list. */
const small = (labels = ["cat", "cup", "dog"]) =>
  board(
    [grid("coarse", 2, 2, 1), grid("fine", 4, 4, 5), list("units", labels)],
    [
      ranking(
        "fine",
        "units",
        Array.from({ length: 16 }, (_, cell) => [cell % labels.length]),
      ),
      heat(
        "units",
        "coarse",
        labels.map((_, i) => [i, 0, 0, 1]),
        labels.map((_, i) => i + 1),
      ),
    ],
  );

const asking = () =>
  board([grid("photo", 1, 2, null), list("low", ["a", "b"]), list("high", ["c", "d"])], [], {
    lists: ["low", "high"],
    start: ["high", 0],
  });

const reading = (shown, wanted) => {
  const reader = new Selection();
  reader.show(shown, wanted);
  return reader;
};

test("of a scene, the grid that fills a list begins with the selection", () => {
  assert.deepEqual(reading(small()).selected, { fine: 5 });
  assert.deepEqual(reading(small(), { coarse: 2 }).selected, { coarse: 2 });
  assert.deepEqual(reading(small(), { nowhere: 0, units: 1 }).selected, { units: 1, fine: 5 });
});

test("selecting takes the selection from the rest of the scene, and comes last", () => {
  const reader = reading(small());
  assert.ok(reader.select("coarse", 3));
  assert.deepEqual(reader.selected, { coarse: 3 });
  reader.select("units", 0);
  reader.select("coarse", 0);
  assert.deepEqual(Object.entries(reader.selected), [
    ["units", 0],
    ["coarse", 0],
  ]);
  reader.unselect("units");
  assert.deepEqual(reader.selected, { coarse: 0 });
});

test("what is selected is carried to another board by place and by name", () => {
  const reader = reading(small());
  reader.select("units", 2);
  const next = small(["dog", "cat"]);
  next.panels.set(...grid("fine", 2, 2, 0));
  reader.hover("units", 1);
  reader.show(next);
  assert.deepEqual(reader.selected, { fine: 0, units: 0 }); // row 1, column 1 of 4 x 4 lies in row 0, column 0
  assert.deepEqual(reader.hovered, {});
  reader.show(small(["cup"]));
  assert.equal(reader.selected.units, undefined);
});

test("lists are as long as the reader chose, else as the board has it", () => {
  const reader = reading(small());
  assert.equal(reader.limits.units, 2);
  const other = small();
  other.panels.set(...list("units", ["cat", "cup", "dog"], 1));
  reader.show(other);
  assert.equal(reader.limits.units, 1);
  reader.limits.units = 3;
  reader.show(small());
  assert.equal(reader.limits.units, 3);
  const short = small();
  short.panels.set(...list("units", ["cat", "cup"], 1));
  reader.show(short);
  assert.equal(reader.limits.units, 2);
});

test("pointing outvotes the selection, and only a change is one", () => {
  const reader = reading(small());
  assert.ok(reader.hover("coarse", 3));
  assert.ok(!reader.hover("coarse", 3));
  assert.deepEqual(reader.current(), { coarse: 3 });
  assert.deepEqual(reader.markedElsewhere("fine"), {
    selected: null,
    hovered: { x: 0.5, y: 0.5, width: 0.5, height: 0.5 },
  });
  assert.deepEqual(reader.marked("coarse"), { selected: null, hovered: 3 });
  assert.ok(reader.hover("coarse", null));
  assert.ok(!reader.hover("coarse", null));
  assert.deepEqual(reader.current(), { fine: 5 });
});

test("a scene without a selection rests where it was", () => {
  const reader = reading(small());
  reader.select("coarse", 1);
  reader.select("fine", 5);
  assert.deepEqual(reader.current(), { fine: 5 });
  reader.unselect("fine");
  reader.active.set("photo", "coarse"); // the reader was last at work there
  assert.deepEqual(reader.current(), { coarse: 0 }); // where the other picture had the selection
  reader.hover("coarse", 1);
  reader.hover("coarse", null);
  assert.deepEqual(reader.current(), { coarse: 1 });
  assert.deepEqual(reader.selected, {});
});

test("a list is filled by what is pointed at, from the same place of the grid that ranks it", () => {
  const reader = reading(small());
  const rows = () => reader.answer("units", reader.current()).rows;
  assert.deepEqual(
    rows().map(([unit]) => unit),
    [5 % 3],
  );
  reader.hover("coarse", 3); // its middle lies in row 3, column 3 of the fine grid
  assert.deepEqual(
    rows().map(([unit]) => unit),
    [15 % 3],
  );
});

test("a picture is lit by what is pointed at, else by what was selected last", () => {
  const reader = reading(small());
  assert.equal(reader.lightInto("coarse"), null);
  reader.select("units", 1);
  assert.deepEqual([...reader.lightInto("coarse").weights], [1, 0, 0, 1]);
  reader.hover("units", 2);
  const lit = reader.lightInto("coarse");
  assert.deepEqual([...lit.weights], [2, 0, 0, 1]);
  assert.equal(lit.scale, 3);
  reader.board.links.at(-1).of = new Set([1]);
  assert.equal(reader.lightInto("coarse"), null); // the heat says nothing of what is pointed at
  assert.equal(reader.lightInto("fine"), null);
});

test("several nodes light each place as the one does that is strongest there", () => {
  const flow = [
    "flow",
    { kind: "flow", name: "flow", labels: ["a", "b", "c"], size: 3, places: new Set([0, 1]) },
  ];
  const weights = [
    [4, 0, 2, 0],
    [0, 1, 1, 0],
    [9, 9, 9, 9],
  ];
  const reader = reading(board([grid("photo", 2, 2, null), flow], [heat("flow", "photo", weights)]));
  reader.select("flow", [0, 1, 2]);
  assert.deepEqual([...reader.lightInto("photo").weights], [1, 1, 1, 0]);
  reader.select("flow", [2]); // it has no place in the picture
  assert.equal(reader.lightInto("photo"), null);
});

test("a selection from outside counts as far as the board has such atoms", () => {
  const reader = reading(small());
  assert.ok(!reader.follow({ fine: 5, units: 7 }));
  assert.ok(reader.follow({ fine: 6, nowhere: 1 }));
  assert.deepEqual(reader.selected, { fine: 6 });
});

test("lists of a trail have one question, with a way back", () => {
  const reader = reading(asking());
  assert.deepEqual(reader.selected, { high: 0 });
  assert.ok(!reader.select("high", 0));
  assert.ok(reader.select("low", 1));
  assert.deepEqual(reader.selected, { high: 0, low: 1 });
  assert.equal(reader.marked("high").selected, null);
  assert.equal(reader.marked("low").selected, 1);
  assert.deepEqual(reader.current(), { low: 1, photo: 0 });
  reader.hover("high", 1);
  assert.deepEqual(reader.current(), { high: 1, photo: 0 });
  assert.ok(reader.unselect("low"));
  assert.deepEqual([reader.selected, reader.hovered], [{ high: 0 }, {}]);
  assert.ok(reader.go(1));
  assert.ok(!reader.go(9));
  assert.deepEqual(reader.selected, { high: 0, low: 1 });
});

test("a selection from outside asks", () => {
  const reader = reading(asking(), { low: 0 });
  assert.deepEqual(reader.selected, { high: 0, low: 0 });
  reader.follow({ low: 1 });
  assert.deepEqual(reader.history.steps.at(-1), ["low", 1]);
  reader.show(asking());
  assert.deepEqual(reader.history.steps.at(-1), ["low", 1]);
  reader.show(small());
  assert.equal(reader.history, null);
});
