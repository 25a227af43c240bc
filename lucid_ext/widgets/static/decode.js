// A board as it arrives in the browser, taken apart: each kind decodes its own panels and links.

import { decodeArrays } from "./arrays.js";
import { linkKind } from "./links/registry.js";
import { kindOf } from "./panels/registry.js";

/** A board's payload with its arrays decoded, its panels by name and their sheets of pictures in place. */
export function decodeBoard(payload, sheets = {}) {
  const panels = new Map();
  for (const spec of payload.panels) {
    const panel = { ...decodeArrays(spec), sheet: sheets[spec.sheet] ?? null };
    panels.set(spec.name, kindOf(spec).decode(panel, sheets));
  }
  const links = [];
  for (const spec of payload.links) links.push(linkKind(spec).decode(withWidth(spec), links));
  return { ...payload, panels, links };
}

/** A link with its arrays decoded, and the width of those that have rows. */
function withWidth(spec) {
  const matrix = Object.values(spec).find((part) => part?.shape?.length === 2);
  return { ...decodeArrays(spec), ...(matrix && { width: matrix.shape[1] }) };
}
