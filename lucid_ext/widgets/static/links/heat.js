// A heat: how strongly an atom lights each cell of a grid.

import { rowOf, transposed } from "../arrays.js";

export const heat = {
  kind: "heat",

  /** Weights that links share travel with the first of them. */
  decode(spec, links) {
    const of = spec.of && new Set(spec.of);
    const shared = links[spec.weights.as];
    if (!shared) return { ...spec, of };
    const { weights, width } = shared;
    if (!spec.weights.turned) return { ...spec, of, weights, width };
    return { ...spec, of, weights: transposed(weights, width), width: weights.length / width };
  },

  light(link, selection, atoms) {
    const weights = weightsOf(link, atoms);
    if (!weights) return null;
    const scale = Array.isArray(link.scale) ? link.scale[[selection].flat()[0]] : link.scale;
    return { ...link, weights, scale, silent: Boolean(link.of) && !link.of.has(selection) };
  },
};

/** What an atom lights; of several, each place as the one does that is strongest there. */
function weightsOf(link, atoms) {
  const rows = atoms.map((atom) => rowOf(link, "weights", atom));
  if (rows.length < 2) return rows[0] ?? null;
  const most = rows.map((row) => row.reduce((a, w) => Math.max(a, w), 0) || 1);
  return rows[0].map((_, i) => Math.max(...rows.map((row, k) => row[i] / most[k])));
}
