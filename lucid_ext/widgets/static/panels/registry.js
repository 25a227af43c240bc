// The kinds of panels there are: a new one is a file of its own and a name in this list.

import { PANEL } from "./base.js";
import { cards } from "./cards.js";
import { flow } from "./flow.js";
import { grid } from "./grid.js";
import { units } from "./units.js";

export const PANELS = new Map([grid, units, cards, flow].map((one) => [one.kind, { ...PANEL, ...one }]));

/** The kind of a panel, which answers for it. */
export function kindOf({ kind }) {
  if (!PANELS.has(kind)) throw new Error(`Panels of kind "${kind}" cannot be drawn here.`);
  return PANELS.get(kind);
}
