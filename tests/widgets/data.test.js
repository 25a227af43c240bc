// EXPECTED=file.json node --test tests/widgets/data.test.js
//
// The file holds a payload, and for each selection what Python says of rows and captions.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { describe, rowsOf, sayingOf } from "../../lucid_ext/widgets/static/answers.js";
import { bytesOf, decodeArray, halfToNumber, rowOf } from "../../lucid_ext/widgets/static/arrays.js";
import { decodeBoard } from "../../lucid_ext/widgets/static/decode.js";
import { formatValue } from "../../lucid_ext/widgets/static/format.js";

const expected = JSON.parse(readFileSync(process.env.EXPECTED, "utf8"));
const board = decodeBoard(expected.payload.boards[0]);
const cases = [expected, ...expected.others].flatMap(({ payload, selections }) =>
  selections.map((selection) => ({ board: decodeBoard(payload.boards[0]), ...selection })),
);

test("lists show what Python ranked", () => {
  for (const { board, selected, rows } of cases) {
    for (const [name, pairs] of Object.entries(rows)) {
      assert.deepEqual(rowsOf(board, name, selected, board.panels.get(name).shown), pairs);
    }
  }
});

test("captions say what Python says", () => {
  for (const { board, selected, caption } of cases) assert.equal(describe(board, selected), caption);
});

test("a name is put into a law as it is", () => {
  const panels = new Map([["parts", { kind: "units", labels: ["$& $` {}"] }]]);
  const link = { kind: "ranking", source: "parts", law: "what {} does", notes: [] };
  assert.equal(sayingOf({ panels }, "parts", { link, atom: 0 }).law, "what $& $` {} does");
});

test("values are printed alike", () => {
  for (const [value, format, text] of expected.values) assert.equal(formatValue(value, format), text);
});

test("weights arrive within half precision", () => {
  const heat = board.links.find((link) => link.kind === "heat");
  for (const [i, row] of expected.weights.entries()) {
    for (const [j, weight] of row.entries()) {
      assert.ok(Math.abs(rowOf(heat, "weights", i)[j] - weight) <= 1e-3 * Math.abs(weight) + 1e-7);
    }
  }
});

test("half precision, bit by bit", () => {
  for (const [bits, value] of expected.halves) assert.equal(halfToNumber(bits), value);
  assert.ok(Number.isNaN(halfToNumber(0x7e00)));
  assert.equal(halfToNumber(0xfc00), -Infinity);
});

test("bytes arrive in any of the forms that have been seen", () => {
  const buffer = Float32Array.of(1.5, -2).buffer;
  const shifted = new Uint8Array(9);
  shifted.set(new Uint8Array(buffer), 1);
  const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  for (const data of [text, buffer, new DataView(buffer), new Uint8Array(buffer), shifted.subarray(1)]) {
    assert.deepEqual([...decodeArray({ type: "f32", data })], [1.5, -2]);
  }
  assert.equal(bytesOf(new DataView(buffer, 4)).length, 4);
});
