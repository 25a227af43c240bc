// A Board as it arrives in the browser: arrays decoded, lists ranked, sentences filled.

import { sameplace } from "./geometry.js";
import { tell } from "./paths.js";
import { answering, asking } from "./trail.js";

const TYPED = { f32: Float32Array, i32: Int32Array, u16: Uint16Array };

/** Bytes of a base64 string, a DataView, an ArrayBuffer or a typed array: all have been seen. */
export function bytesOf(data) {
  if (typeof data === "string") {
    const text = atob(data);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** IEEE half precision to a number. */
export function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** {type, shape, data} as a flat typed array; f16 becomes Float32Array. With `rows`, all others are zero. */
export function decodeArray({ type, shape, data, rows }) {
  const bytes = bytesOf(data);
  // A copy, because a typed array must begin at a multiple of its element's size.
  const buffer = bytes.slice().buffer;
  const flat =
    type === "f16" ? Float32Array.from(new Uint16Array(buffer), halfToNumber) : new TYPED[type](buffer);
  if (!rows) return flat;
  const [height, width] = shape;
  const whole = new flat.constructor(height * width);
  rows.forEach((row, i) => {
    whole.set(flat.subarray(i * width, (i + 1) * width), row * width);
  });
  return whole;
}

/** A matrix of this width, flat, with rows and columns exchanged. */
function turned(flat, width) {
  const height = flat.length / width;
  const result = new flat.constructor(flat.length);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) result[j * height + i] = flat[i * width + j];
  }
  return result;
}

/** A board's payload with its arrays decoded, its panels by name and their sheets of pictures in place. */
export function decodeBoard(payload, sheets = {}) {
  const panels = new Map();
  for (const spec of payload.panels) {
    const panel = { ...spec };
    if (spec.values) panel.values = decodeArray(spec.values);
    panel.sheet = sheets[spec.sheet] ?? null;
    if (spec.icon_of) panel.icon_of = decodeArray(spec.icon_of);
    if (spec.kind === "grid" && spec.sizes) panel.sizes = decodeArray(spec.sizes);
    if (spec.kind === "grid") panel.dead = new Set(spec.dead);
    if (spec.kind === "flow") {
      for (const part of ["flows", "measured"]) panel[part] = spec[part].map(decodeArray);
      for (const part of ["straight", "straight_measured"]) panel[part] = decodeArray(spec[part]);
      panel.places = new Set(spec.places);
      panel.draft_sheet = sheets[spec.draft_sheet] ?? null;
      if (spec.draft_of) panel.draft_of = decodeArray(spec.draft_of);
    }
    if (spec.facts) panel.facts = spec.facts.map((fact) => ({ ...fact, values: decodeArray(fact.values) }));
    panel.size = spec.kind === "grid" ? spec.rows * spec.cols : spec.labels.length;
    panels.set(spec.name, panel);
  }
  const links = [];
  for (const spec of payload.links) {
    const link = { ...spec };
    if (spec.scales) link.scales = decodeArray(spec.scales);
    if (spec.of) link.of = new Set(spec.of);
    for (const part of ["weights", "atoms", "values"]) {
      const shared = links[spec[part]?.as];
      if (shared) {
        const round = spec[part].turned;
        link[part] = round ? turned(shared[part], shared.width) : shared[part];
        link.width = round ? shared[part].length / shared.width : shared.width;
      } else if (spec[part]) {
        link[part] = decodeArray(spec[part]);
        link.width = spec[part].shape[1];
      }
    }
    links.push(link);
  }
  return { ...payload, panels, links };
}

/** Row `i` of a link's array. */
export function rowOf(link, part, i) {
  return link[part].subarray(i * link.width, (i + 1) * link.width);
}

/** The link of a kind into `target` from the first of its sources that is selected. */
export function linkInto(board, kind, target, selected) {
  return board.links.find((l) => l.kind === kind && l.target === target && selected[l.source] != null);
}

/**
 * The ranking that fills a list and the atom of its source that decides, or null. A grid without one speaks for
 * the same place of a grid of its scene that has one.
 */
function rankingInto(board, name, selected) {
  const direct = linkInto(board, "ranking", name, selected);
  if (direct) return { link: direct, atom: selected[direct.source] };
  for (const link of board.links) {
    const source = board.panels.get(link.source);
    if (link.kind !== "ranking" || link.target !== name || source.kind !== "grid") continue;
    for (const panel of board.panels.values()) {
      if (panel.scene === source.scene && selected[panel.name] != null) {
        return { link, atom: sameplace(selected[panel.name], panel, source) };
      }
    }
  }
  return null;
}

/** What a list shows, [[unit, value], ...]: its ranking for what is selected, or its own values. */
export function rowsOf(board, name, selected, limit) {
  return answerOf(board, name, selected, limit).rows;
}

/** What a list shows, and the ranking and the atom of its source that decided: {rows, link, atom}. */
export function answerOf(board, name, selected, limit) {
  const panel = board.panels.get(name);
  if (board.trail?.lists.includes(name)) return trailAnswer(board, panel, selected, limit);
  const found = rankingInto(board, name, board.trail ? asking(board.trail, selected) : selected);
  return found ? { ...found, rows: rankedRows(found, limit) } : { rows: ownRows(panel, limit) };
}

/** What is to be said of an answer: the law of its values, the value of a full bar, and a note. */
export function sayingOf(board, name, { link, atom }) {
  const panel = board.panels.get(name);
  if (!link) return { law: "", scale: panel.scale, note: "" };
  return {
    law: link.law.replace("{}", () => labelOf(board.panels.get(link.source), atom)),
    scale: link.scales?.[atom] ?? panel.scale,
    note: link.notes[atom] ?? "",
  };
}

/**
 * The same for a list of a trail. The unit asked about is always among its rows: where no answer names it, in the
 * last one, with the list's own value.
 */
function trailAnswer(board, panel, selected, limit) {
  const { questions, asked } = answering(board.trail, panel.name, selected);
  const shows = ({ rows }) => asked == null || rows.some(([atom]) => atom === asked);
  const answers = questions.flatMap(([source, atom]) => {
    const link = linkInto(board, "ranking", panel.name, { [source]: atom });
    return link ? [{ rows: rankedRows({ link, atom }, limit), link, atom }] : [];
  });
  const answer = answers.find(shows) ?? answers.at(-1) ?? { rows: ownRows(panel, limit) };
  if (panel.values && !shows(answer)) answer.rows.splice(-1, 1, [asked, panel.values[asked]]);
  return answer;
}

function rankedRows({ link, atom }, limit) {
  const values = rowOf(link, "values", atom);
  return Array.from(rowOf(link, "atoms", atom).subarray(0, limit), (unit, i) => [unit, values[i]]);
}

function ownRows(panel, limit) {
  const values = panel.turned ?? panel.values; // dials may have changed them
  if (!values) return [];
  const order = Array.from(values.keys());
  order.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b);
  return order.slice(0, limit).map((atom) => [atom, values[atom]]);
}

/** Whether a list has values below zero anywhere, so that all its bars start in the middle. */
export function goesBothWays(board, name) {
  const panel = board.panels.get(name);
  panel.signed ??= [
    panel.values,
    ...board.links.filter((l) => l.kind === "ranking" && l.target === name).map((l) => l.values),
  ].some((values) => values?.some((v) => v < 0));
  return panel.signed;
}

/** Whether something can be the selection of a panel: an atom, or of a flow a list of them. */
export function selectable(panel, atom) {
  const inside = (one) => Number.isInteger(one) && one >= 0 && one < panel.size;
  if (panel?.kind === "flow") return Array.isArray(atom) && atom.length > 0 && atom.every(inside);
  return panel != null && inside(atom);
}

/** The selection of a panel on another board, by names; null where there is nothing of the name. */
export function renamed(atom, old, panel) {
  if (panel.kind !== "flow")
    return panel.labels.includes(old.labels[atom]) ? panel.labels.indexOf(old.labels[atom]) : null;
  const names = atom.map((node) => old.labels[node]);
  const there = [...panel.labels.keys()].filter((node) => names.includes(panel.labels[node]));
  return there.length ? there : null;
}

/** How a sentence calls an atom; of a flow, what is to be told of its nodes. */
export function labelOf(panel, atom) {
  if (panel.kind === "flow") return tell(panel, atom, (value) => formatValue(value, "number", true));
  if (panel.kind !== "grid") return panel.labels[atom];
  const dead = panel.dead.has(atom) ? " (dead)" : "";
  return `row ${Math.floor(atom / panel.cols)}, column ${atom % panel.cols}${dead}`;
}

/** A value as it is printed; a true minus sign keeps figures aligned. */
export function formatValue(value, format, signed = false) {
  const text = format === "percent" ? `${(100 * value).toFixed(1)}%` : value.toFixed(2);
  return (signed && value > 0 ? "+" : "") + text.replace("-", "\u2212");
}

/** The caption for what is selected: the first sentence that speaks of nothing else; empty if none does. */
export function describe(board, selected) {
  const spoken = board.trail ? asking(board.trail, selected) : selected;
  for (const sentence of board.captions) {
    const text = filled(sentence, board, spoken);
    if (text != null) return text;
  }
  return "";
}

function filled(sentence, board, selected) {
  let complete = true;
  const text = sentence.replace(/\{(\w+)(?:\.(\d+)(\.value)?)?\}/g, (_, name, row, value) => {
    const panel = board.panels.get(name);
    if (panel && row === undefined && selected[name] != null) return labelOf(panel, selected[name]);
    const pair = panel && row !== undefined && rowsOf(board, name, selected, panel.most)[row - 1];
    if (!pair) {
      complete = false;
      return "";
    }
    return value ? formatValue(pair[1], panel.format) : labelOf(panel, pair[0]);
  });
  return complete ? text : null;
}
