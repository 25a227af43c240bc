// What the view asks of a kind of panel. A kind says what is different; for the rest it is a list of labelled atoms.
//
// Two parts each kind has of its own:
//   kind    its name in a payload.
//   View    draws one panel. `new View({id, actions, icons})`: an id for its elements; what the reader does in it,
//           hover(selection | null), select(selection), unselect(), rename(atom, name); and the decoded pictures.
//           It has `element`, and maybe `parts`, {region: element} for what stands elsewhere, and
//             update(panel, context)  takes a panel; see `Layout.contextOf`,
//             draw(reading)           draws it as things stand; see `Reading`,
//             destroy()               leaves nothing behind.

export const PANEL = {
  /** The panel: its payload, arrays decoded, and what follows from it; `sheets` are the pictures by name. */
  decode: (spec) => ({ ...spec, size: spec.labels.length }),

  /** Where it stands: "deck", "flows", "pictures", "lists" or "aside". `page`: {single, filled}, see `Layout`. */
  region: () => "aside",

  /** How a sentence calls an atom. */
  label: (panel, atom) => panel.labels[atom],

  /** Whether something can be the selection of a panel. */
  has: (panel, selection) => Number.isInteger(selection) && selection >= 0 && selection < panel.size,

  /** A selection at the same place of another panel of its scene, or of its name on another board; null for none. */
  carry(selection, from, to) {
    const label = from.labels[selection];
    return to.labels.includes(label) ? to.labels.indexOf(label) : null;
  },

  /** The atoms of a selection, as far as they light up other panels. */
  atoms: (_panel, selection) => [selection],

  /** Where an atom lies in the picture of its scene, in fractions: {x, y, width, height}. */
  box: () => null,

  /** The picture of an atom: {sheet, tile, draft: whether only for the time being}; null if it has none. */
  tile: (panel, atom) =>
    panel.sheet && panel.icon_of[atom] >= 0
      ? { sheet: panel.sheet, tile: panel.icon_of[atom], draft: false }
      : null,

  /** The sheets of pictures it is drawn from. */
  sheets: (panel) => [panel.sheet],

  /** Whether the reader may choose how many of its rows are shown. */
  adjustable: () => false,

  /** What views of this kind share in one `scene`: `new Scene(name, state)`, gather(views, head), draw(), destroy(). */
  Scene: null,
};
