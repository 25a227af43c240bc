// The page of a board: the views of its panels, their scenes and dials, each in its place.

import { Cards } from "./cards.js";
import { Columns } from "./columns.js";
import { Controls } from "./controls.js";
import { Dials } from "./dials.js";
import { make, newId, setText } from "./dom.js";
import { Flow } from "./flow.js";
import { drawFormula } from "./formula.js";
import { Picture } from "./picture.js";
import { Scene } from "./scene.js";
import { Units } from "./units.js";

const KINDS = { grid: Picture, units: Units, cards: Cards, flow: Flow };

/**
 * Lays a board out in `root`. `actions`, what the reader does: of(panel), what its view is told to do; show(board),
 * limit(list, n), go(at), turned().
 */
export class Layout {
  constructor(actions, icons) {
    this.id = newId();
    this.actions = actions;
    this.icons = icons;
    this.views = new Map(); // panel name -> one of KINDS
    this.scenes = new Map(); // name -> Scene
    this.dials = new Map(); // "source target" -> Dials
    this.title = make("h2", { id: `${this.id}-title` });
    this.reading = make("p", { class: "lx-reading" });
    this.controls = new Controls(actions);
    this.shared = make("div", { class: "lx-shared" });
    this.flows = make("div", { class: "lx-flows" });
    this.deck = make("div", { class: "lx-deck" });
    this.pictures = make("div", { class: "lx-pictures" });
    this.lists = make("div", { class: "lx-lists" });
    this.aside = make("div", { class: "lx-aside" });
    this.columns = new Columns(`${this.id}-trail`, actions);
    this.panels = make(
      "div",
      { class: "lx-panels" },
      this.pictures,
      this.lists,
      this.aside,
      this.columns.element,
    );
    this.caption = make("p", { class: "lx-caption" });
    this.formula = make("div", { class: "lx-formula" });
    this.status = make("p", { class: "lx-status", role: "status" });
    this.spoken = make("p", { class: "lx-spoken", role: "status" });
    this.root = make(
      "article",
      {
        class: "lx-board",
        "aria-labelledby": `${this.id}-title`,
        "data-lm-suppress-shortcuts": "true",
      },
      make("style", {}, BOARD_CSS),
      this.title,
      this.reading,
      make("div", { class: "lx-head" }, this.controls.element, this.shared),
      this.deck,
      this.flows,
      this.panels,
      this.caption,
      this.formula,
      this.status,
      this.spoken,
    );
    this.columns.listen(this.root);
  }

  destroy() {
    for (const scene of this.scenes.values()) scene.destroy();
    for (const view of this.views.values()) view.destroy?.();
    this.root.remove();
  }

  /** Draw as the page around is: dark or light. */
  colour(dark) {
    this.dark = dark;
    this.root.classList.toggle("lx-dark", dark);
    for (const scene of this.scenes.values()) this.colourScene(scene);
  }

  colourScene(scene) {
    scene.dark = this.dark;
    for (const picture of scene.pictures) picture.drawTiles();
  }

  /**
   * Take a board, keeping what stays the same. `urls` are its pictures, `limits` how long its lists are, `answers`
   * whether several dials may be turned at once, `variants` the boards that controls offer, if there are controls.
   */
  update(board, { urls, limits, answers, variants }) {
    setText(this.title, board.title);
    setText(this.reading, board.reading);
    this.write(board.formula);
    const grids = [...board.panels.values()].filter((panel) => panel.kind === "grid");
    this.root.classList.toggle("lx-many", grids.length > 1 && !board.trail);
    this.root.classList.toggle("lx-trailed", Boolean(board.trail));
    this.layPanels(board, urls, limits, grids.length > 1);
    const flowing = this.flows.childElementCount > 0;
    this.root.classList.toggle("lx-flowing", flowing);
    const above = flowing ? this.flows : this.panels; // what the caption speaks of
    if (above.nextElementSibling !== this.caption) above.after(this.caption);
    this.layDials(board, answers);
    this.gatherScenes(grids);
    if (variants) this.controls.update(variants, board, limits);
  }

  write(formula) {
    const source = JSON.stringify(formula);
    if (this.formulaSource === source) return;
    this.formulaSource = source;
    this.formula.replaceChildren(...(formula ? [drawFormula(formula)] : []));
  }

  layPanels(board, urls, limits, many) {
    const kept = new Map();
    const scenes = new Map();
    const inTrail = board.trail?.lists ?? [];
    for (const panel of board.panels.values()) {
      const Kind = KINDS[panel.kind];
      let view = this.views.get(panel.name);
      if (view?.constructor !== Kind) {
        view = new Kind(newId(), this.actions.of(panel.name), this.icons);
      }
      kept.set(panel.name, view);
      if (panel.kind === "grid") {
        const scene = this.scenes.get(panel.scene) ?? scenes.get(panel.scene) ?? new Scene();
        scenes.set(panel.scene, scene);
        view.update(panel, urls[panel.picture], scene);
      } else if (panel.kind === "flow") view.update(panel, pictureOf(board, panel, urls));
      else view.update(panel, limits[panel.name], board);
      if (!inTrail.includes(panel.name)) this.columnOf(board, panel, many).append(view.element);
      if (view.table) this.aside.append(view.table);
    }
    this.columns.element.hidden = !board.trail;
    this.columns.hold(inTrail.map((name) => kept.get(name)));
    for (const [name, view] of this.views) {
      if (kept.get(name) === view) continue;
      view.element.remove();
      view.destroy?.();
    }
    for (const [name, scene] of this.scenes) if (!scenes.has(name)) scene.destroy();
    this.views = kept;
    this.scenes = scenes;
  }

  /**
   * Cards above everything. One picture first; lists the selection fills beside it; what stands still last.
   * Several pictures and their lists flow in the order the board has them, and so does what stands beside the
   * columns of a trail.
   */
  columnOf(board, panel, many) {
    if (panel.kind === "cards") return this.deck;
    if (panel.kind === "flow") return this.flows;
    if (panel.kind === "grid" || many || board.trail) return this.pictures;
    if (panel.column != null) return [this.pictures, this.lists, this.aside][panel.column];
    const filled = board.links.some((l) => l.kind === "ranking" && l.target === panel.name);
    return filled && !panel.large ? this.lists : this.aside;
  }

  /** Dials stand before the list they change. */
  layDials(board, answers) {
    const kept = new Map();
    for (const link of board.links.filter((l) => l.kind === "dials")) {
      const key = `${link.source} ${link.target}`;
      const dials = this.dials.get(key) ?? new Dials(newId(), this.actions.turned);
      dials.update(link, board.panels.get(link.source), answers);
      kept.set(key, dials);
      this.views.get(link.target).element.before(dials.element);
    }
    for (const [key, dials] of this.dials) if (!kept.has(key)) dials.element.remove();
    this.dials = kept;
  }

  /** Tools that several pictures share stand above them all. */
  gatherScenes(grids) {
    this.shared.replaceChildren();
    for (const [name, scene] of this.scenes) {
      const pictures = grids
        .filter((panel) => panel.scene === name)
        .map((panel) => this.views.get(panel.name));
      this.colourScene(scene);
      scene.gather(pictures);
      (pictures.length > 1 ? this.shared : pictures[0].tools).append(scene.tools);
    }
  }

  /** While the reader points, bars do not ease: each move would start them all anew. */
  point(pointing) {
    this.root.classList.toggle("lx-pointing", pointing);
  }

  /** Where scenes last were: [[grid, cell], ...], of each the picture the reader was last at work in. */
  rests() {
    return [...this.scenes.values()].map(({ active }) => [active.panel.name, active.last]);
  }
}

/** The picture that nodes of a flow have places in: the grid they light, the link and its picture. */
function pictureOf(board, flow, urls) {
  const heat = board.links.find((l) => l.kind === "heat" && l.source === flow.name);
  const grid = heat && board.panels.get(heat.target);
  return heat ? { heat, grid, url: urls[grid.picture] } : null;
}
