// Pure geometry of a picture with a grid of cells: no DOM, so that node can test it alone.
//
// Positions are fractions of the picture, 0 to 1. A view is {scale, x, y}: the viewport shows the
// picture from (x, y) to (x + 1 / scale, y + 1 / scale).

export const WHOLE = Object.freeze({ scale: 1, x: 0, y: 0 });
export const MOST_ZOOM = 8;

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** How many pixels wide a picture is worth drawing that is `width` wide at a zoom, in steps that double. */
export function pixelsAcross(width, scale, density) {
  return width * density * 2 ** Math.ceil(Math.log2(scale));
}

/** The cell at a position; positions outside belong to the nearest cell. */
export function cellAt(x, y, rows, cols) {
  const col = clamp(Math.floor(x * cols), 0, cols - 1);
  const row = clamp(Math.floor(y * rows), 0, rows - 1);
  return row * cols + col;
}

/** Where a cell lies: {x, y, width, height}. */
export function cellBox(cell, rows, cols) {
  return {
    x: (cell % cols) / cols,
    y: Math.floor(cell / cols) / rows,
    width: 1 / cols,
    height: 1 / rows,
  };
}

/** The cell a key leads to, or null for a key that moves nothing. */
export function cellAfterKey(cell, key, rows, cols, withControl = false) {
  const row = Math.floor(cell / cols);
  const col = cell % cols;
  const page = Math.max(1, Math.round(rows / 4));
  const at = (r, c) => clamp(r, 0, rows - 1) * cols + clamp(c, 0, cols - 1);
  switch (key) {
    case "ArrowLeft":
      return at(row, col - 1);
    case "ArrowRight":
      return at(row, col + 1);
    case "ArrowUp":
      return at(row - 1, col);
    case "ArrowDown":
      return at(row + 1, col);
    case "PageUp":
      return at(row - page, col);
    case "PageDown":
      return at(row + page, col);
    case "Home":
      return withControl ? 0 : at(row, 0);
    case "End":
      return withControl ? rows * cols - 1 : at(row, cols - 1);
    default:
      return null;
  }
}

/** The cell of another grid over the same picture that holds this cell's centre. */
export function sameplace(cell, from, to) {
  // In whole numbers, as in Python: a centre may lie on an edge.
  const row = Math.floor(((2 * Math.floor(cell / from.cols) + 1) * to.rows) / (2 * from.rows));
  const col = Math.floor(((2 * (cell % from.cols) + 1) * to.cols) / (2 * from.cols));
  return row * to.cols + col;
}

/** From a position in the viewport to one in the picture. */
export function toPicture(view, x, y) {
  return { x: view.x + x / view.scale, y: view.y + y / view.scale };
}

/** From a box in the picture to one in the viewport. */
export function toViewport(view, box) {
  return {
    x: (box.x - view.x) * view.scale,
    y: (box.y - view.y) * view.scale,
    width: box.width * view.scale,
    height: box.height * view.scale,
  };
}

function within(scale, x, y) {
  const room = 1 - 1 / scale;
  return { scale, x: clamp(x, 0, room), y: clamp(y, 0, room) };
}

/** Zoom by a factor about a position in the viewport, which keeps showing the same place. */
export function zoomAt(view, factor, x, y) {
  const scale = clamp(view.scale * factor, 1, MOST_ZOOM);
  const place = toPicture(view, x, y);
  return within(scale, place.x - x / scale, place.y - y / scale);
}

/** Move the picture under the viewport by a fraction of the viewport. */
export function panBy(view, dx, dy) {
  return within(view.scale, view.x - dx / view.scale, view.y - dy / view.scale);
}

/** The view moved as little as needed for a box to be inside it. */
export function bringInto(view, box) {
  const span = 1 / view.scale;
  const nearest = (start, low, high) => clamp(start, Math.min(high - span, low), low);
  return within(
    view.scale,
    nearest(view.x, box.x, box.x + box.width),
    nearest(view.y, box.y, box.y + box.height),
  );
}

/** The whole cells of a grid that a box of the same picture touches, as one box. */
export function cellsOver(box, rows, cols) {
  const slack = 1e-6; // cells that share an edge with the box are not touched
  const left = clamp(Math.floor(box.x * cols + slack), 0, cols - 1);
  const top = clamp(Math.floor(box.y * rows + slack), 0, rows - 1);
  const right = clamp(Math.ceil((box.x + box.width) * cols - slack), left + 1, cols);
  const bottom = clamp(Math.ceil((box.y + box.height) * rows - slack), top + 1, rows);
  return { x: left / cols, y: top / rows, width: (right - left) / cols, height: (bottom - top) / rows };
}

/** The cells of a grid that lie in a part of its picture, if only in part: [{atom, row, col}, ...]. */
export function cellsIn(part, rows, cols) {
  const [first, last] = [
    cellAt(part.x, part.y, rows, cols),
    cellAt(part.x + part.width, part.y + part.height, rows, cols),
  ];
  const found = [];
  for (let row = Math.floor(first / cols); row <= Math.floor(last / cols); row++) {
    for (let col = first % cols; col <= last % cols; col++) found.push({ atom: row * cols + col, row, col });
  }
  return found;
}

/**
 * A lens over a place of the picture: where its `frame` lies in the viewport and what part of the picture is
 * `shown` in it. It stays inside the viewport, and the place itself does not move.
 */
export function lensOver(view, place, width, height, scale) {
  const at = toViewport(view, { x: place.x, y: place.y, width: 0, height: 0 });
  const x = clamp(clamp(at.x, 0, 1) - width / 2, 0, 1 - width);
  const y = clamp(clamp(at.y, 0, 1) - height / 2, 0, 1 - height);
  const shown = {
    x: place.x - (at.x - x) / scale,
    y: place.y - (at.y - y) / scale,
    width: width / scale,
    height: height / scale,
  };
  return { frame: { x, y, width, height }, shown };
}

/** Where in its cell a tile lies whose area is `share` of the cell's: {start, side}, in cells. */
export function tileIn(share) {
  const side = Math.sqrt(clamp(share, 0, 1));
  return { start: (1 - side) / 2, side };
}
