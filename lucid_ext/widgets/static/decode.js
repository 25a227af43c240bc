// A board as it arrives in the browser, taken apart: each kind decodes its own panels and links.

import { decodeArrays } from "./arrays.js";
import { linkKind } from "./links/registry.js";
import { kindOf } from "./panels/registry.js";

/** A board's payload with its arrays decoded, its panels by name and their sheets of pictures in place; frozen. */
export function decodeBoard(payload, sheets = {}) {
  const { panels: panelSpecs, links: linkSpecs, ...rest } = payload;
  const panels = new Map();
  for (const spec of panelSpecs) {
    const panel = { ...decodeArrays(spec), sheet: sheets[spec.sheet] ?? null };
    panels.set(spec.name, kindOf(spec).decode(panel, sheets));
  }
  const links = [];
  for (const spec of linkSpecs) links.push(linkKind(spec).decode(withWidth(spec), links));
  return frozen({ ...decodeArrays(rest), panels, links });
}

/** A value that nobody can write to any more, as deep as it goes; numbers in typed arrays nobody should. */
function frozen(value) {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (value instanceof Map) for (const part of value.values()) frozen(part);
  else for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}

/** A link with its arrays decoded, and the width of those that have rows. */
function withWidth(spec) {
  const matrix = Object.values(spec).find((part) => part?.shape?.length === 2);
  return { ...decodeArrays(spec), ...(matrix && { width: matrix.shape[1] }) };
}
