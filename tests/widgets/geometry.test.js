// node --test tests/widgets/geometry.test.js

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bringInto,
  cellAfterKey,
  cellAt,
  cellBox,
  cellsIn,
  cellsOver,
  lensOver,
  MOST_ZOOM,
  panBy,
  pixelsAcross,
  sameplace,
  tileIn,
  toPicture,
  toViewport,
  WHOLE,
  zoomAt,
} from "../../lucid_ext/widgets/static/geometry.js";

const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("every cell's centre and corners lie in it", () => {
  const [rows, cols] = [3, 5];
  for (let cell = 0; cell < rows * cols; cell++) {
    const { x, y, width, height } = cellBox(cell, rows, cols);
    for (const [fx, fy] of [
      [0.5, 0.5],
      [0.01, 0.01],
      [0.99, 0.99],
    ]) {
      assert.equal(cellAt(x + fx * width, y + fy * height, rows, cols), cell);
    }
  }
});

test("positions outside belong to the nearest cell", () => {
  assert.equal(cellAt(-1, -1, 4, 4), 0);
  assert.equal(cellAt(1, 1, 4, 4), 15);
  assert.equal(cellAt(2, 0.5, 4, 4), 11);
});

test("arrows move by one cell and stop at the edge", () => {
  assert.equal(cellAfterKey(5, "ArrowLeft", 4, 4), 4);
  assert.equal(cellAfterKey(4, "ArrowLeft", 4, 4), 4);
  assert.equal(cellAfterKey(5, "ArrowRight", 4, 4), 6);
  assert.equal(cellAfterKey(7, "ArrowRight", 4, 4), 7);
  assert.equal(cellAfterKey(5, "ArrowUp", 4, 4), 1);
  assert.equal(cellAfterKey(1, "ArrowUp", 4, 4), 1);
  assert.equal(cellAfterKey(9, "ArrowDown", 4, 4), 13);
  assert.equal(cellAfterKey(13, "ArrowDown", 4, 4), 13);
});

test("Home, End and the page keys", () => {
  assert.equal(cellAfterKey(6, "Home", 4, 4), 4);
  assert.equal(cellAfterKey(6, "End", 4, 4), 7);
  assert.equal(cellAfterKey(6, "Home", 4, 4, true), 0);
  assert.equal(cellAfterKey(6, "End", 4, 4, true), 15);
  assert.equal(cellAfterKey(30 * 14, "PageUp", 28, 14), 23 * 14);
  assert.equal(cellAfterKey(1, "PageUp", 14, 14), 1);
  assert.equal(cellAfterKey(1, "PageDown", 14, 14), 4 * 14 + 1);
});

test("other keys move nothing", () => {
  assert.equal(cellAfterKey(5, "a", 4, 4), null);
  assert.equal(cellAfterKey(5, "Tab", 4, 4), null);
});

test("the same place in a finer and a coarser grid", () => {
  const coarse = { rows: 7, cols: 7 };
  const fine = { rows: 28, cols: 28 };
  for (let cell = 0; cell < 49; cell++) {
    assert.equal(sameplace(sameplace(cell, coarse, fine), fine, coarse), cell);
  }
  assert.equal(sameplace(10, fine, fine), 10);
});

test("zooming keeps the place under the pointer", () => {
  let view = WHOLE;
  for (const [factor, x, y] of [
    [2, 0.3, 0.7],
    [1.7, 0.5, 0.5],
    [0.8, 0.6, 0.4],
  ]) {
    const before = toPicture(view, x, y);
    view = zoomAt(view, factor, x, y);
    const after = toPicture(view, x, y);
    near(before.x, after.x);
    near(before.y, after.y);
  }
});

test("zoom ends at the whole picture and at its most", () => {
  assert.deepEqual(zoomAt({ scale: 1.1, x: 0.05, y: 0.05 }, 0.1, 0.5, 0.5), { scale: 1, x: 0, y: 0 });
  assert.equal(zoomAt(WHOLE, 1000, 0.5, 0.5).scale, MOST_ZOOM);
});

test("panning stays inside the picture", () => {
  const view = zoomAt(WHOLE, 4, 0.5, 0.5);
  assert.equal(panBy(view, 100, 0).x, 0);
  near(panBy(view, -100, 0).x, 0.75);
  near(panBy(view, -0.4, 0).x, view.x + 0.1);
  assert.deepEqual(panBy(WHOLE, 0.5, 0.5), WHOLE);
});

test("viewport and picture are each other's inverse", () => {
  const view = { scale: 3, x: 0.2, y: 0.4 };
  const box = toViewport(view, { x: 0.3, y: 0.5, width: 0.1, height: 0.2 });
  const back = toPicture(view, box.x, box.y);
  near(back.x, 0.3);
  near(back.y, 0.5);
  near(box.width, 0.3);
});

test("a box is brought into view, and the view stays where the box is in it", () => {
  const view = zoomAt(WHOLE, 4, 0, 0);
  const box = cellBox(14 * 14 - 1, 14, 14);
  const moved = bringInto(view, box);
  const seen = toViewport(moved, box);
  assert.ok(seen.x >= -1e-9 && seen.x + seen.width <= 1 + 1e-9);
  assert.ok(seen.y >= -1e-9 && seen.y + seen.height <= 1 + 1e-9);
  assert.deepEqual(bringInto(moved, box), moved);
});

test("the cells at the place of a cell of another grid", () => {
  for (let cell = 0; cell < 49; cell++) {
    const box = cellBox(cell, 7, 7);
    const finer = cellsOver(box, 28, 28); // exactly the sixteen cells inside it
    for (const side of ["x", "y", "width", "height"]) near(finer[side], box[side]);
    const coarser = cellsOver(box, 3, 3); // all that it touches
    assert.ok(coarser.x <= box.x + 1e-9 && coarser.y <= box.y + 1e-9);
    assert.ok(coarser.x + coarser.width >= box.x + box.width - 1e-9);
    assert.ok(Math.round(coarser.width * 3) <= 2 && Math.round(coarser.height * 3) <= 2);
  }
  const fine = cellBox(28 * 13 + 13, 28, 28);
  const one = cellsOver(fine, 7, 7);
  near(one.x, 3 / 7);
  near(one.width, 1 / 7);
});

test("of a part of the picture, all cells that it touches are in it", () => {
  const whole = cellsIn({ x: 0, y: 0, width: 1, height: 1 }, 3, 4);
  assert.deepEqual(
    whole.map(({ atom }) => atom),
    Array.from({ length: 12 }, (_, i) => i),
  );
  assert.deepEqual(cellsIn({ x: 0.3, y: 0.4, width: 0.3, height: 0.1 }, 3, 4), [
    { atom: 5, row: 1, col: 1 },
    { atom: 6, row: 1, col: 2 },
  ]);
});

test("a lens stays in the viewport, shows nothing outside the picture, and does not move the place", () => {
  for (const view of [WHOLE, zoomAt(WHOLE, 2, 0.9, 0.1)]) {
    for (const at of [0, 0.02, 0.31, 0.5, 0.97, 1]) {
      const place = { x: view.x + at / view.scale, y: view.y + (1 - at) / view.scale };
      const { frame, shown } = lensOver(view, place, 0.4, 0.3, 4);
      assert.ok(frame.x >= 0 && frame.y >= 0 && frame.x <= 0.6 + 1e-9 && frame.y <= 0.7 + 1e-9);
      assert.ok(shown.x >= -1e-9 && shown.y >= -1e-9);
      assert.ok(shown.x + shown.width <= 1 + 1e-9 && shown.y + shown.height <= 1 + 1e-9);
      // Where the place is in the lens is where it is in the viewport.
      const inLens = frame.x + ((place.x - shown.x) / shown.width) * frame.width;
      near(inLens, toViewport(view, { x: place.x, y: 0, width: 0, height: 0 }).x);
      near(shown.width, 0.1);
    }
  }
});

test("a tile's area is its share of the cell, and it lies in the middle", () => {
  for (const share of [0, 0.01, 0.25, 0.7, 1]) {
    const { start, side } = tileIn(share);
    near(side * side, share);
    near(2 * start + side, 1);
  }
});

test("pictures are drawn with at least the pixels shown of them, in steps that double", () => {
  assert.equal(pixelsAcross(300, 1, 1), 300);
  assert.equal(pixelsAcross(300, 1, 2), 600);
  for (const scale of [1.2, 1.7, 2]) assert.equal(pixelsAcross(300, scale, 1), 600);
  assert.equal(pixelsAcross(300, 2.1, 1), 1200);
});
