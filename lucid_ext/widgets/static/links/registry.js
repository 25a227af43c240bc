// The kinds of links there are: a new one is a file of its own and a name in this list.

import { LINK } from "./base.js";
import { dials } from "./dials.js";
import { heat } from "./heat.js";
import { mixture } from "./mixture.js";
import { ranking } from "./ranking.js";

export const LINKS = new Map([ranking, heat, mixture, dials].map((one) => [one.kind, { ...LINK, ...one }]));

/** The kind of a link, which answers for it. */
export function linkKind({ kind }) {
  if (!LINKS.has(kind)) throw new Error(`Links of kind "${kind}" lead nowhere here.`);
  return LINKS.get(kind);
}

/** The links of a board that do something, by its name: "rows", "light", "blend", "View". */
export function linksThat(board, what) {
  return board.links.filter((link) => linkKind(link)[what]);
}
