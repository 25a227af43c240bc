// Icons: tiles of a sheet, or blends of another list's tiles.

import { rowOf } from "./data.js";

/** The decoded sheets of one view, and what each canvas shows. */
export class Icons {
  /** `ready` is called when a sheet has been decoded and can be drawn. */
  constructor(ready) {
    this.ready = ready;
    this.images = new Map(); // by url, so that variants share a sheet
    this.drawn = new WeakMap(); // canvas -> what it shows
  }

  image(url) {
    if (!this.images.has(url)) {
      const image = new Image();
      image.addEventListener("load", this.ready, { once: true });
      image.src = url;
      this.images.set(url, image);
    }
    return this.images.get(url);
  }

  /** Forget sheets that none of these panels uses. */
  keep(panels) {
    const used = new Set(panels.flatMap((panel) => [panel.sheet?.url, panel.draft_sheet?.url]));
    for (const url of this.images.keys()) if (!used.has(url)) this.images.delete(url);
  }

  /** Draw the icon of a unit of list `name`; says whether it is its "own", a "blend" or "none". */
  draw(board, name, atom, canvas) {
    const panel = board.panels.get(name);
    if (panel.sheet && panel.icon_of[atom] >= 0) {
      const parts = [[panel.icon_of[atom], 1]];
      return this.lay(panel.sheet, parts, canvas, `${atom}`) ? "own" : "none";
    }
    const mixture = board.links.find((l) => l.kind === "mixture" && l.source === name);
    const source = mixture && board.panels.get(mixture.target);
    if (!source?.sheet) return "none";
    const weights = rowOf(mixture, "weights", atom);
    const parts = Array.from(rowOf(mixture, "atoms", atom), (unit, i) => [source.icon_of[unit], weights[i]]);
    return this.lay(source.sheet, parts, canvas, `blend ${atom}`) ? "blend" : "none";
  }

  /** Average tiles of a sheet: each is laid over those before with its share of the weight so far. */
  lay(sheet, parts, canvas, key) {
    const visible = parts.filter(([tile, weight]) => tile >= 0 && weight > 0);
    if (!visible.length) return false;
    const image = this.image(sheet.url);
    const before = this.drawn.get(canvas);
    if (before?.sheet === sheet && before.key === key && before.complete === image.complete) return true;
    this.drawn.set(canvas, { sheet, key, complete: image.complete });
    const { size, columns } = sheet;
    if (canvas.width !== size) canvas.width = canvas.height = size;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, size, size);
    if (!image.complete) return true;
    let total = 0;
    for (const [tile, weight] of visible) {
      total += weight;
      context.globalAlpha = weight / total;
      const x = (tile % columns) * size;
      const y = Math.floor(tile / columns) * size;
      context.drawImage(image, x, y, size, size, 0, 0, size, size);
    }
    context.globalAlpha = 1;
    return true;
  }
}
