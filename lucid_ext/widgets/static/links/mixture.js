// A mixture: units whose icons are blends of another list's, until they have their own.

import { rowOf } from "../arrays.js";

export const mixture = {
  kind: "mixture",

  blend(link, atom) {
    const weights = rowOf(link, "weights", atom);
    return Array.from(rowOf(link, "atoms", atom), (unit, i) => [unit, weights[i]]);
  },
};
