// Where the nodes and bands of a flow lie. Pure geometry, so that node can test it alone.

import { firstNodes } from "./paths.js";

export const CARD = { width: 132, height: 44, gap: 8 };
const LEAST_GAP = 88; // between columns
const LEAST_HEIGHT = 400;

/** How high a flow is drawn, whatever its columns hold at the moment. */
export function heightFor(most) {
  return Math.max(LEAST_HEIGHT, most * (CARD.height + CARD.gap));
}

/** The least width at which bands can be told apart. */
export function leastWidth(columns) {
  return columns * CARD.width + (columns - 1) * LEAST_GAP;
}

/** Sums of sizes of the links that leave each node of one column, and that reach each of the next. */
function bandSums(links, from, to) {
  const out = new Array(from).fill(0);
  const into = new Array(to).fill(0);
  for (let i = 0; i < from; i++) {
    for (let j = 0; j < to; j++) {
      const size = Math.abs(links[i * to + j]);
      out[i] += size;
      into[j] += size;
    }
  }
  return { out, into };
}

/** Bands between each pair of columns have one scale; all are as large as the fullest column allows. */
function scalesFor(sizes, ends, height) {
  const totals = ends.map(({ out }) => out.reduce((sum, size) => sum + size, 0));
  const scales = (share) => totals.map((total) => (total > 0 ? (share * height) / total : 0));
  const fits = (share) => {
    const now = scales(share);
    return sizes.every((size, column) => nodeHeights(size, column, ends, now).sum <= height);
  };
  let [low, high] = [0, 0.8];
  for (let step = 0; step < 24; step++) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return scales(low);
}

/** The height of each node of a column, with its bands, and of all of them with the gaps. */
function nodeHeights(size, column, ends, scales) {
  const heights = Array.from({ length: size }, (_, i) => {
    const out = column < ends.length ? ends[column].out[i] * scales[column] : 0;
    const into = column > 0 ? ends[column - 1].into[i] * scales[column - 1] : 0;
    return Math.max(CARD.height, out, into);
  });
  return { heights, sum: heights.reduce((sum, h) => sum + h + CARD.gap, -CARD.gap) };
}

/**
 * Lay a flow out in a box. Gives `nodes` [{x, y, height, into, out}], the heights of what reaches and leaves
 * them included, and `bands` [{pair, from, to, x0, y0, x1, y1, thickness, value}], y0 and y1 being middles, and
 * `scales`: pixels for one unit, per pair of columns.
 */
export function layOut({ sizes, flows }, width, height) {
  const first = firstNodes(sizes);
  const ends = flows.map((links, p) => bandSums(links, sizes[p], sizes[p + 1]));
  const scales = scalesFor(sizes, ends, height);
  const step = (width - CARD.width) / (sizes.length - 1);
  const nodes = [];
  for (const [column, size] of sizes.entries()) {
    const { heights, sum } = nodeHeights(size, column, ends, scales);
    let y = (height - sum) / 2;
    for (const [i, own] of heights.entries()) {
      const out = column < ends.length ? ends[column].out[i] * scales[column] : 0;
      const into = column > 0 ? ends[column - 1].into[i] * scales[column - 1] : 0;
      nodes.push({ x: column * step, y, height: own, into, out });
      y += own + CARD.gap;
    }
  }
  const bands = [];
  for (const [pair, links] of flows.entries()) {
    const [from, to] = [sizes[pair], sizes[pair + 1]];
    const left = nodes.slice(first[pair], first[pair + 1]).map((n) => n.y + (n.height - n.out) / 2);
    const right = nodes.slice(first[pair + 1], first[pair + 2]).map((n) => n.y + (n.height - n.into) / 2);
    for (let i = 0; i < from; i++) {
      for (let j = 0; j < to; j++) {
        const value = links[i * to + j];
        if (value === 0) continue;
        const thickness = Math.abs(value) * scales[pair];
        bands.push({
          pair,
          from: first[pair] + i,
          to: first[pair + 1] + j,
          x0: pair * step + CARD.width,
          y0: left[i] + thickness / 2,
          x1: (pair + 1) * step,
          y1: right[j] + thickness / 2,
          thickness,
          value,
        });
        left[i] += thickness;
        right[j] += thickness;
      }
    }
  }
  return { nodes, bands, scales };
}

/** The outline of a band, as an SVG path. */
export function bandOutline({ x0, y0, x1, y1, thickness }) {
  const middle = (x0 + x1) / 2;
  const half = thickness / 2;
  const at = (x, y) => `${x.toFixed(1)} ${y.toFixed(2)}`;
  const there = `C${at(middle, y0 - half)} ${at(middle, y1 - half)} ${at(x1, y1 - half)}`;
  const back = `C${at(middle, y1 + half)} ${at(middle, y0 + half)} ${at(x0, y0 + half)}`;
  return `M${at(x0, y0 - half)} ${there} L${at(x1, y1 + half)} ${back}Z`;
}

/** A layout on the way from an earlier one, `t` from 0 to 1; what was not there before is where it will be. */
export function onTheWay(before, after, t) {
  const mix = (a, b) => a + (b - a) * t;
  const moved = (old, now, parts) =>
    old ? { ...now, ...Object.fromEntries(parts.map((part) => [part, mix(old[part], now[part])])) } : now;
  const places = new Map(before.nodes.map((node) => [node.key, node]));
  const ways = new Map(before.bands.map((band) => [band.key, band]));
  return {
    ...after,
    nodes: after.nodes.map((node) => moved(places.get(node.key), node, ["x", "y", "height", "into", "out"])),
    bands: after.bands.map((band) => moved(ways.get(band.key), band, ["x0", "y0", "x1", "y1", "thickness"])),
  };
}

/** The node a key leads to, or null: up and down in a column, left and right to the nearest of the next. */
export function nodeAfterKey(node, key, sizes, nodes) {
  const first = firstNodes(sizes);
  const column = first.findIndex((start) => start > node) - 1;
  const [low, high] = [first[column], first[column + 1] - 1];
  const aside = { ArrowLeft: column - 1, ArrowRight: column + 1 }[key];
  if (aside !== undefined) {
    if (aside < 0 || aside >= sizes.length) return node;
    const middle = (n) => nodes[n].y + nodes[n].height / 2;
    let best = first[aside];
    for (let n = best; n < first[aside + 1]; n++) {
      if (Math.abs(middle(n) - middle(node)) < Math.abs(middle(best) - middle(node))) best = n;
    }
    return best;
  }
  const steps = { ArrowUp: node - 1, ArrowDown: node + 1, Home: low, End: high };
  return key in steps ? Math.min(high, Math.max(low, steps[key])) : null;
}
