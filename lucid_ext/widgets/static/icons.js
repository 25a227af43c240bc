// Icons: tiles of a sheet, or blends of another list's tiles.

import { linkKind, linksThat } from "./links/registry.js";
import { kindOf } from "./panels/registry.js";

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
    const sheets = panels.flatMap((panel) => kindOf(panel).sheets(panel));
    const used = new Set(sheets.map((sheet) => sheet?.url));
    for (const url of this.images.keys()) if (!used.has(url)) this.images.delete(url);
  }

  /** Draw the picture of an atom of panel `name`; says whether it is its "own", a "blend" or "none". */
  draw(board, name, atom, canvas) {
    const panel = board.panels.get(name);
    const own = kindOf(panel).tile(panel, atom);
    if (own) {
      const { sheet, tile, draft } = own;
      const key = draft ? `draft ${atom}` : `${atom}`;
      if (!this.lay(sheet, [[tile, 1]], canvas, key)) return "none";
      return draft ? "blend" : "own";
    }
    const blending = linksThat(board, "blend").find((l) => l.source === name);
    const source = blending && board.panels.get(blending.target);
    if (!source?.sheet) return "none";
    const parts = linkKind(blending).blend(blending, atom);
    const tiles = parts.map(([unit, weight]) => [source.icon_of[unit], weight]);
    return this.lay(source.sheet, tiles, canvas, `blend ${atom}`) ? "blend" : "none";
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
