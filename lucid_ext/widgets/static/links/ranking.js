// A ranking: which units of a list an atom leads to, and their values, ranked in Python.

import { rowOf } from "../arrays.js";

export const ranking = {
  kind: "ranking",

  rows(link, atom, limit) {
    const values = rowOf(link, "values", atom);
    return Array.from(rowOf(link, "atoms", atom).subarray(0, limit), (unit, i) => [unit, values[i]]);
  },

  said: (link, atom, label) => ({
    law: link.law.replace("{}", () => label),
    scale: link.scales?.[atom],
    note: link.notes[atom] ?? "",
  }),

  signed: (link) => link.values.some((value) => value < 0),
};
