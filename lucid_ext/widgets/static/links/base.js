// What the view asks of a kind of link: each does one of these or several, and for the rest does nothing.

export const LINK = {
  /** The link: its payload, arrays decoded; `links` are those decoded before it. */
  decode: (spec) => spec,

  /** What its target shows for an atom of its source, [[unit, value], ...]. */
  rows: null,

  /** What is to be said of these rows: {law, scale, note}. */
  said: null,

  /** Whether any of them is below zero. */
  signed: () => false,

  /** How its target is lit by a selection of its source, of these atoms: {weights, signed, scale, law} or null. */
  light: null,

  /** What an icon of its source is blended of: tiles of its target, [[unit, weight], ...]. */
  blend: null,

  /**
   * What the reader changes the values of the target by; it stands before the target. A View like a panel's, made of
   * {id, actions: {turn(stands)}, stands()}. With it come start(link), where it stands at first; levels(link, stands),
   * what the model is told; and values(link, stands, answer, before), what it makes of the target's values, or null.
   */
  View: null,
};
