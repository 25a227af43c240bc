// The page of a board: the views of its panels, their scenes and dials, each in its place.

import { Columns } from "./columns.js";
import { Controls } from "./controls.js";
import { make, newId, setText } from "./dom.js";
import { drawFormula } from "./formula.js";
import { linkKind, linksThat } from "./links/registry.js";
import { kindOf } from "./panels/registry.js";
import { linkKey } from "./state.js";

/**
 * Lays a board out in `root`. `actions`, what the reader does: of(panel), what its view is told to do; show(board),
 * limit(list, n), go(at), turn(link, stands).
 */
export class Layout {
  constructor(actions, icons, state) {
    this.id = newId();
    this.actions = actions;
    this.icons = icons;
    this.state = state;
    this.views = new Map(); // panel name -> its kind's View
    this.scenes = new Map(); // name -> Scene
    this.dials = new Map(); // link -> its kind's View
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
    const { deck, flows, pictures, lists, aside } = this;
    this.regions = { deck, flows, pictures, lists, aside };
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
    for (const one of [this.scenes, this.dials, this.views]) for (const view of one.values()) view.destroy();
    this.root.remove();
  }

  /** Look as the page around does: dark or light. */
  colour(dark) {
    this.root.classList.toggle("lx-dark", dark);
  }

  /**
   * Take a board, keeping what stays the same. `urls` are its pictures, `answers` whether several dials may be turned
   * at once, `variants` the boards that controls offer, if there are controls.
   */
  update(board, { urls, answers, variants }) {
    this.urls = urls;
    setText(this.title, board.title);
    setText(this.reading, board.reading);
    this.write(board.formula);
    const several = [...board.panels.values()].filter((panel) => kindOf(panel).Scene).length > 1;
    this.several = several;
    const trailed = Boolean(board.trail);
    this.layPanels(board);
    const flowing = this.flows.childElementCount > 0;
    this.root.classList.toggle("lx-wide", several || trailed);
    this.panels.classList.toggle("lx-abreast", several && !trailed);
    this.panels.classList.toggle("lx-trailed", trailed);
    this.panels.classList.toggle("lx-below", flowing);
    this.caption.classList.toggle("lx-long", flowing);
    const above = flowing ? this.flows : this.panels; // what the caption speaks of
    if (above.nextElementSibling !== this.caption) above.after(this.caption);
    this.layDials(board, answers);
    this.gatherScenes(board);
    if (variants) this.controls.update(variants, board, this.state.limits);
  }

  write(formula) {
    const source = JSON.stringify(formula);
    if (this.formulaSource === source) return;
    this.formulaSource = source;
    this.formula.replaceChildren(...(formula ? [drawFormula(formula)] : []));
  }

  layPanels(board) {
    const kept = new Map();
    const scenes = new Map();
    const inTrail = board.trail?.lists ?? [];
    const single = !this.several && !board.trail;
    for (const panel of board.panels.values()) {
      const kind = kindOf(panel);
      const view = this.viewOf(panel.name, kind);
      kept.set(panel.name, view);
      if (kind.Scene && !scenes.has(panel.scene)) {
        const scene = this.scenes.get(panel.scene) ?? new kind.Scene(panel.scene, this.state);
        scenes.set(panel.scene, scene);
      }
      view.update(panel, this.contextOf(board, panel, scenes));
      const filled = linksThat(board, "rows").some((link) => link.target === panel.name);
      const region = kind.region(panel, { single, filled });
      view.element.classList.toggle("lx-narrow", inTrail.includes(panel.name));
      if (!inTrail.includes(panel.name)) this.regions[region].append(view.element);
      for (const [place, element] of Object.entries(view.parts ?? {})) this.regions[place].append(element);
    }
    this.columns.element.hidden = !board.trail;
    this.columns.hold(inTrail.map((name) => kept.get(name)));
    for (const [name, view] of this.views) if (kept.get(name) !== view) view.destroy();
    for (const [name, scene] of this.scenes) if (!scenes.has(name)) scene.destroy();
    this.views = kept;
    this.scenes = scenes;
  }

  viewOf(name, { View }) {
    const view = this.views.get(name);
    if (view?.constructor === View) return view;
    return new View({ id: newId(), actions: this.actions.of(name), icons: this.icons });
  }

  /**
   * What a view is told beside its panel: the board, how many rows to show, what its scene shares, whether it is one
   * of `several`, and where to find a picture, `picture(key)`.
   */
  contextOf(board, panel, scenes) {
    const limit = this.state.limits[panel.name];
    const scene = scenes.get(panel.scene);
    return { board, limit, scene, several: this.several, picture: (key) => this.urls[key] };
  }

  /** A list has another length. */
  resize(name) {
    const { board } = this.state;
    const panel = board.panels.get(name);
    this.views.get(name).update(panel, this.contextOf(board, panel, this.scenes));
  }

  /** What changes a list stands before it. */
  layDials(board, answers) {
    const kept = new Map();
    for (const link of linksThat(board, "View")) {
      const key = linkKey(link);
      const view = this.dials.get(key) ?? this.dialsOf(link, key);
      view.update(link, { board, answers });
      kept.set(key, view);
      this.views.get(link.target).element.before(view.element);
    }
    for (const [key, view] of this.dials) if (!kept.has(key)) view.destroy();
    this.dials = kept;
  }

  dialsOf(link, key) {
    const { View } = linkKind(link);
    const turn = (stands) => this.actions.turn(key, stands);
    return new View({ id: newId(), actions: { turn }, stands: () => this.state.dials[key] });
  }

  gatherScenes(board) {
    this.shared.replaceChildren();
    for (const [name, scene] of this.scenes) {
      const shares = (panel) => panel.scene === name && kindOf(panel).Scene === scene.constructor;
      const inside = [...board.panels.values()].filter(shares);
      scene.gather(
        inside.map((panel) => this.views.get(panel.name)),
        this.shared,
      );
    }
  }

  /** Draw everything as it stands; `readingOf(panel)` says how. */
  draw(readingOf) {
    for (const [name, view] of this.views) view.draw(readingOf(name));
    for (const view of this.dials.values()) view.draw(readingOf(view.link.target));
  }

  /** Pictures that were awaited can be drawn. */
  arrived() {
    for (const scene of this.scenes.values()) scene.draw();
  }

  /** While the reader points, bars do not ease: each move would start them all anew. */
  point(pointing) {
    this.root.classList.toggle("lx-pointing", pointing);
  }
}
