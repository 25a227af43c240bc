// EXPECTED=file.json node --test tests/widgets/flow.test.js: paths and sentences as Python has them, and geometry.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { carriedTo, describe, selectable } from "../../lucid_ext/widgets/static/answers.js";
import { decodeBoard } from "../../lucid_ext/widgets/static/decode.js";
import { formatValue } from "../../lucid_ext/widgets/static/format.js";
import { followPaths, linkBetween, tell } from "../../lucid_ext/widgets/static/paths.js";
import {
  bandOutline,
  CARD,
  heightFor,
  layOut,
  leastWidth,
  nodeAfterKey,
  onTheWay,
} from "../../lucid_ext/widgets/static/sankey.js";

const expected = JSON.parse(readFileSync(process.env.EXPECTED, "utf8"));
const board = decodeBoard(expected.payload.boards[0], expected.payload.sheets);
const flow = board.panels.get("flow");
const near = (a, b, slack = 1e-6) => assert.ok(Math.abs(a - b) <= slack, `${a} is not ${b}`);
const signed = (value) => formatValue(value, "number", true);

test("paths add up to what Python says, in the same words", () => {
  for (const { nodes, sums, told } of expected.selections) {
    for (const [k, sum] of followPaths(flow, nodes).sums.entries()) near(sum, sums[k], 1e-5);
    if (!nodes.length) continue;
    assert.equal(tell(flow, nodes, signed), told);
    assert.equal(describe(board, { flow: nodes }), told);
  }
  assert.equal(describe(board, {}), "Nothing is selected.");
});

test("lit are the links of which a path through the selected nodes is made", () => {
  const { sizes } = flow; // 3, 4, 3, 2
  const all = followPaths(flow, []).lit;
  assert.ok(all.every((links, p) => links.every((on, at) => on === (flow.flows[p][at] !== 0))));
  const { lit, reached } = followPaths(flow, [4]); // the second of the second column
  for (const [at, on] of lit[0].entries()) assert.equal(on, at % sizes[1] === 1);
  for (const [at, on] of lit[1].entries()) assert.equal(on, Math.floor(at / 3) === 1 && at % 3 !== 2);
  assert.ok(lit[2].every((on, at) => on === at < 4)); // nothing selected leads to the third column's last
  assert.deepEqual(reached.slice(3, 7), [false, true, false, false]);
  const none = followPaths(flow, [0, 6]); // nothing leads from the first column to node 6
  assert.ok(none.lit.flat().every((on) => !on));
  assert.deepEqual(none.sums.map(Math.abs), [0, 0]);
});

test("of a link further on, the paths are as much as reaches its first node through them", () => {
  const { shares } = followPaths(flow, [4]);
  const second = [...flow.flows[1]]; // from 4 nodes to 3
  const into = [0, 1, 2].map((j) => [0, 1, 2, 3].reduce((sum, i) => sum + second[3 * i + j], 0));
  near(shares[4], 1);
  for (const j of [0, 1]) near(shares[7 + j], second[3 + j] / into[j], 1e-6);
  assert.ok(
    followPaths(flow, [])
      .shares.slice(0, 10)
      .every((share) => Math.abs(share - 1) < 1e-6),
  );
});

test("two nodes of neighbouring columns have one link", () => {
  assert.deepEqual(linkBetween(flow, [1, 4]), { pair: 0, at: 1 * 4 + 1 });
  assert.equal(linkBetween(flow, [1, 2]), null);
  assert.equal(linkBetween(flow, [1, 8]), null);
  assert.equal(linkBetween(flow, [1]), null);
});

test("a selection is a list of nodes there are, and is carried by name", () => {
  assert.ok(selectable(flow, [0, 3]));
  for (const bad of [[], [12], [-1], 3, null, ["0"]]) assert.ok(!selectable(flow, bad));
  const grid = board.panels.get("image");
  assert.ok(selectable(grid, 5) && !selectable(grid, 6) && !selectable(undefined, 0));
  const other = { ...flow, labels: ["c1:1", "new", "c0:0"] };
  assert.deepEqual(carriedTo(other, [0, 4], flow), [0, 2]);
  assert.equal(carriedTo(other, [1], flow), null);
});

const HEIGHT = heightFor(flow.most);

test("everything lies in its box, and nodes of a column do not overlap", () => {
  const { nodes, bands } = layOut(flow, 900, HEIGHT);
  assert.equal(nodes.length, 12);
  for (const node of nodes) {
    assert.ok(node.y >= -1e-6 && node.y + node.height <= HEIGHT + 1e-6);
    assert.ok(node.x >= 0 && node.x + CARD.width <= 900 + 1e-6);
    assert.ok(
      node.height >= CARD.height && node.into <= node.height + 1e-6 && node.out <= node.height + 1e-6,
    );
  }
  for (const [i, node] of nodes.entries()) {
    const next = nodes[i + 1];
    if (next?.x === node.x) near(next.y - node.y - node.height, CARD.gap);
  }
  assert.equal(bands.length, flow.flows.flatMap((links) => [...links]).filter((v) => v !== 0).length);
});

test("bands are as wide as their links, by one scale for each pair of columns, and fill their nodes' sides", () => {
  const { nodes, bands, scales } = layOut(flow, 900, HEIGHT);
  const sums = nodes.map(() => ({ into: 0, out: 0 }));
  for (const { pair, from, to, thickness, value, x0, x1, y0, y1 } of bands) {
    near(thickness, Math.abs(value) * scales[pair]);
    near(x0, nodes[from].x + CARD.width);
    near(x1, nodes[to].x);
    assert.ok(
      y0 - thickness / 2 >= nodes[from].y - 1e-6 &&
        y1 + thickness / 2 <= nodes[to].y + nodes[to].height + 1e-6,
    );
    sums[from].out += thickness;
    sums[to].into += thickness;
  }
  for (const [i, { into, out }] of sums.entries()) {
    near(into, nodes[i].into);
    near(out, nodes[i].out);
  }
});

test("bands that leave a node lie side by side in the order of where they go", () => {
  const { bands } = layOut(flow, 900, HEIGHT);
  const own = bands.filter((band) => band.from === 0);
  for (const [i, band] of own.entries()) {
    if (i) near(band.y0 - band.thickness / 2, own[i - 1].y0 + own[i - 1].thickness / 2);
    if (i) assert.ok(band.to > own[i - 1].to);
  }
});

test("the height does not depend on the links, and a flow of nothing is laid out too", () => {
  assert.equal(heightFor(2), heightFor(4));
  assert.ok(heightFor(20) >= 20 * (CARD.height + CARD.gap));
  assert.ok(leastWidth(4) > leastWidth(3));
  const empty = { sizes: [2, 2], flows: [new Float32Array(4)] };
  const { nodes, bands, scales } = layOut(empty, 400, 400);
  assert.equal(bands.length, 0);
  assert.deepEqual(scales, [0]);
  assert.ok(nodes.every(({ y }) => Number.isFinite(y)));
});

test("the way from one layout to the next begins at the one and ends at the other", () => {
  const keyed = (layout) => {
    for (const [i, node] of layout.nodes.entries()) node.key = i;
    for (const band of layout.bands) band.key = `${band.from},${band.to}`;
    return layout;
  };
  const one = keyed(layOut(flow, 900, HEIGHT));
  const two = keyed(layOut(flow, 600, HEIGHT));
  two.nodes.push({ ...two.nodes[0], key: "new" });
  near(onTheWay(one, two, 0).nodes[5].x, one.nodes[5].x);
  near(onTheWay(one, two, 1).bands[7].y1, two.bands[7].y1);
  near(onTheWay(one, two, 0.5).nodes[5].x, (one.nodes[5].x + two.nodes[5].x) / 2);
  assert.equal(onTheWay(one, two, 0).nodes.at(-1).x, two.nodes[0].x);
});

test("a band's outline starts and ends upright, as thick as it is", () => {
  const path = bandOutline({ x0: 0, y0: 10, x1: 100, y1: 30, thickness: 4 });
  assert.match(path, /^M0\.0 8\.00 C50\.0 8\.00 50\.0 28\.00 100\.0 28\.00 L100\.0 32\.00 /);
  assert.match(path, /C50\.0 32\.00 50\.0 12\.00 0\.0 12\.00Z$/);
});

test("arrow keys walk a column, and go to the nearest node of the next", () => {
  const { nodes } = layOut(flow, 900, HEIGHT);
  const go = (node, key) => nodeAfterKey(node, key, flow.sizes, nodes);
  assert.equal(go(3, "ArrowDown"), 4);
  assert.equal(go(6, "ArrowDown"), 6);
  assert.equal(go(3, "ArrowUp"), 3);
  assert.equal(go(4, "Home"), 3);
  assert.equal(go(4, "End"), 6);
  assert.equal(go(0, "ArrowLeft"), 0);
  assert.equal(go(11, "ArrowRight"), 11);
  assert.equal(go(0, "x"), null);
  const middle = (n) => nodes[n].y + nodes[n].height / 2;
  const nearest = go(1, "ArrowRight");
  for (let n = 3; n < 7; n++)
    assert.ok(Math.abs(middle(nearest) - middle(1)) <= Math.abs(middle(n) - middle(1)));
});
