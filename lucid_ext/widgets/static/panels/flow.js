// A flow: nodes in columns, and signed bands between them; selected nodes light the paths through them.

import { rowOf } from "../arrays.js";
import { Bands } from "../bands.js";
import { make, setAttribute, setText } from "../dom.js";
import { formatValue } from "../format.js";
import { linksThat } from "../links/registry.js";
import { firstNodes, followPaths, tell } from "../paths.js";
import { heightFor, layOut, leastWidth, nodeAfterKey, onTheWay } from "../sankey.js";

const FLOW_EASE = 150; // milliseconds from one layout to the next
const LINKS_LISTED = 7; // of the table of links
const SHADE = 200; // of 255, over a place where a node is not

/** Draws one flow; its selection is a list of nodes. */
class Flow {
  constructor({ id, actions }) {
    this.id = id;
    this.actions = actions;
    this.nodes = [];
    this.bands = new Bands(id, {
      point: (nodes) => (nodes ? this.preview(nodes) : this.actions.hover(null)),
      pick: (nodes) => this.actions.select(nodes),
    });
    this.selected = [];
    this.active = 0;
    this.title = make("h3", { id: `${id}-title` });
    this.clear = make(
      "button",
      { type: "button", onclick: () => this.actions.unselect() },
      "Clear selection",
    );
    const swatch = (sign, name) => make("span", { class: "lx-swatch" }, this.bands.swatch(sign), name);
    this.legend = make(
      "div",
      { class: "lx-legend" },
      swatch(1, "+ leads to"),
      swatch(-1, "\u2212 against"),
      this.clear,
    );
    this.heads = make("div", { class: "lx-heads", "aria-hidden": "true" });
    this.stage = make("div", { class: "lx-stage", role: "group", "aria-label": "Nodes of the flow" });
    this.scroll = make("div", { class: "lx-flow-scroll" }, make("div", {}, this.heads, this.stage));
    this.laws = make("p", { class: "lx-note" });
    this.hint = make(
      "p",
      { class: "lx-hint" },
      "Click, tap or press Enter to select or let go; arrow keys walk, Escape clears. Of bands further on, " +
        "what came along the selected paths is lit.",
    );
    this.element = make(
      "section",
      { class: "lx-panel lx-flow", "aria-labelledby": `${id}-title` },
      this.title,
      this.legend,
      this.scroll,
      this.laws,
      this.hint,
    );
    this.body = make("tbody", {});
    this.table = make(
      "section",
      { class: "lx-panel lx-links" },
      make("h3", { id: `${id}-links` }, "Links, widest first"),
      make(
        "table",
        { "aria-labelledby": `${id}-links` },
        make("thead", {}, tableRow("th", "from", "to", "attribution", "measured", "unit")),
        this.body,
      ),
      make(
        "p",
        { class: "lx-note" },
        "Measured: how much is lost when the part of the activations that a node stands for is removed.",
      ),
    );
    this.parts = { aside: this.table };
    this.stage.addEventListener("keydown", (event) => this.typed(event));
    this.stage.addEventListener("pointerleave", () => this.actions.hover(null));
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.scroll);
  }

  destroy() {
    this.element.remove();
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    this.table.remove();
  }

  update(panel, { board, picture }) {
    this.panel = panel;
    const heat = linksThat(board, "light").find((link) => link.source === panel.name);
    const grid = heat && board.panels.get(heat.target);
    this.picture = heat && { heat, grid, url: picture(grid.picture) }; // where its nodes have places
    setText(this.title, panel.title);
    this.title.hidden = !panel.title;
    this.heads.replaceChildren(...panel.columns.map((name) => make("span", {}, name)));
    while (this.nodes.length < panel.size) this.nodes.push(this.newNode(this.nodes.length));
    while (this.nodes.length > panel.size) this.nodes.pop();
    this.stage.replaceChildren(this.bands.element, ...this.nodes.map((node) => node.element));
    this.active = Math.min(this.active, panel.size - 1);
    this.stage.style.height = `${heightFor(panel.most)}px`;
    this.stage.style.minWidth = this.heads.style.minWidth = `${leastWidth(panel.sizes.length)}px`;
    for (const [n, node] of this.nodes.entries()) this.dress(n, node);
    this.place(true);
  }

  newNode(index) {
    const icon = make("canvas", { class: "lx-icon" });
    const badge = make("span", { class: "lx-node-badge", title: "a blend of channels, until it is drawn" });
    const photograph = make("img", { alt: "" });
    const shade = make("canvas", { class: "lx-node-shade" });
    const map = make("span", { class: "lx-node-map" }, photograph, shade);
    const mark = make("span", { class: "lx-node-mark" });
    const note = make("span", { class: "lx-node-note" });
    const into = make("span", { class: "lx-node-into" });
    const out = make("span", { class: "lx-node-out" });
    const frame = make("span", { class: "lx-node-frame" }, icon, badge);
    const words = make("span", { class: "lx-node-words" }, mark, note);
    const card = make("span", { class: "lx-node-card" }, frame, map, words);
    const element = make("button", { type: "button", class: "lx-node" }, into, out, card);
    element.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "touch") this.preview([index]);
    });
    element.addEventListener("focus", () => this.focused(index));
    element.addEventListener("click", () => this.toggle(index));
    return { element, icon, badge, photograph, shade, map, mark, note, into, out, frame, card };
  }

  /** What a node shows but for its icon, which may come later. */
  dress(n, node) {
    const { panel, picture } = this;
    const places = picture && panel.places.has(n);
    const end = n >= panel.size - panel.sizes.at(-1);
    node.element.style.setProperty("--own", panel.colours[n]);
    node.element.classList.toggle("lx-end", end);
    node.element.classList.toggle("lx-plain-node", !end && panel.notes[n] !== "");
    setText(node.mark, panel.marks[n]);
    setText(node.note, panel.notes[n]);
    setAttribute(node.element, "aria-label", [panel.labels[n], panel.notes[n]].filter(Boolean).join(", "));
    setAttribute(node.element, "title", panel.labels[n]);
    node.map.hidden = !places;
    if (places) {
      const { heat, grid, url } = picture;
      if (node.photograph.src !== url) node.photograph.src = url;
      const weights = rowOf(heat, "weights", n);
      const most = weights.reduce((a, w) => Math.max(a, w), 0) || 1;
      node.shade.width = grid.cols;
      node.shade.height = grid.rows;
      const shade = new ImageData(grid.cols, grid.rows);
      for (const [i, w] of weights.entries()) {
        shade.data[4 * i + 3] = SHADE * (1 - Math.sqrt(Math.max(0, w) / most));
      }
      node.shade.getContext("2d").putImageData(shade, 0, 0);
    }
  }

  draw(reading) {
    const { panel } = reading;
    const nodes = reading.now ?? [];
    const selected = reading.marked.selected ?? [];
    this.reading = reading;
    this.selected = selected;
    if (!this.goal) this.place(false);
    if (!this.goal) return; // not on the page yet: `resize` will tell
    this.clear.disabled = !selected.length;
    const { lit, reached, shares } = followPaths(panel, nodes);
    const some = nodes.length > 0;
    for (const [n, node] of this.nodes.entries()) {
      setAttribute(node.element, "aria-pressed", selected.includes(n));
      setAttribute(node.element, "tabindex", n === this.active ? 0 : -1);
      node.element.classList.toggle("lx-faded", some && !reached[n]);
      const kind = reading.icon(n, node.icon);
      node.frame.hidden = kind === "none";
      setText(node.badge, kind === "blend" ? "\u2248" : "");
    }
    const first = firstNodes(panel.sizes);
    const taken = [];
    for (const band of this.goal.bands) {
      const at = (band.from - first[band.pair]) * panel.sizes[band.pair + 1] + band.to - first[band.pair + 1];
      const on = lit[band.pair][at];
      const share = Math.min(1, Math.abs(shares[band.from])); // of a link further on, the paths are only a part
      this.bands.light(band, some, on, share);
      const width = band.thickness * (some ? share : 1);
      if (on || !some) taken.push({ ...band, width, measured: panel.measured[band.pair][at] });
    }
    this.list(taken);
  }

  /** The widest of the links that are lit, with what was measured of each. */
  list(bands) {
    const { panel } = this;
    bands.sort((a, b) => b.width - a.width);
    const rows = bands.slice(0, LINKS_LISTED).map(({ pair, from, to, value, measured }) => {
      const ends = [panel.labels[from], panel.labels[to]];
      const made = tableRow("td", ...ends, signedNumber(value), signedNumber(measured), panel.laws[pair]);
      made.classList.toggle("lx-against", value < 0);
      return made;
    });
    while (rows.length < LINKS_LISTED) rows.push(tableRow("td", "\u00a0", "", "", "", ""));
    this.body.replaceChildren(...rows);
  }

  /** Lay everything out anew; `eased` from where it is now. */
  place(eased) {
    const width = this.stage.clientWidth;
    if (!this.panel || !width) return;
    const { panel } = this;
    const goal = layOut(panel, width, heightFor(panel.most));
    const first = firstNodes(panel.sizes);
    const columns = panel.sizes.flatMap((size, column) =>
      Array.from({ length: size }, (_, i) => [column, i]),
    );
    for (const [n, node] of goal.nodes.entries()) node.key = columns[n].join();
    for (const band of goal.bands) {
      band.key = `${band.pair},${band.from - first[band.pair]},${band.to - first[band.pair + 1]}`;
    }
    setText(this.laws, this.scale(goal.scales));
    this.goal = goal;
    const before = this.layout;
    cancelAnimationFrame(this.frame);
    if (!eased || !before || matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.paint(goal);
      return;
    }
    const start = performance.now();
    const step = (now) => {
      const t = Math.max(0, Math.min(1, (now - start) / FLOW_EASE));
      this.paint(onTheWay(before, goal, t * t * (3 - 2 * t)));
      if (t < 1) this.frame = requestAnimationFrame(step);
    };
    this.paint(onTheWay(before, goal, 0));
    this.frame = requestAnimationFrame(step);
  }

  resize() {
    if (!this.panel || this.stage.clientWidth === this.width) return;
    this.width = this.stage.clientWidth;
    this.place(false);
    if (this.reading) this.draw(this.reading);
  }

  /** A sentence on what widths mean. */
  scale(scales) {
    const { columns, laws } = this.panel;
    const parts = scales.map((scale, p) => {
      const ten = scale > 0 ? formatValue(10 / scale, "number") : "0";
      return `from ${columns[p]} to ${columns[p + 1]} 10 px are ${ten} (${laws[p]})`;
    });
    return `Width: ${parts.join("; ")}.`;
  }

  paint(layout) {
    this.layout = layout;
    this.bands.paint(layout.bands);
    for (const [n, { x, y, height, into, out }] of layout.nodes.entries()) {
      const node = this.nodes[n];
      node.element.style.transform = `translate(${x}px, ${y}px)`;
      node.element.style.height = `${height}px`;
      node.into.style.height = `${into}px`;
      node.out.style.height = `${out}px`;
    }
  }

  /** What would be selected with these nodes too. */
  preview(nodes) {
    this.actions.hover([...new Set([...this.selected, ...nodes])].sort((a, b) => a - b));
  }

  toggle(node) {
    const { selected } = this;
    const next = selected.includes(node) ? selected.filter((n) => n !== node) : [...selected, node];
    this.active = node;
    if (next.length) this.actions.select(next.sort((a, b) => a - b));
    else this.actions.unselect();
  }

  focused(node) {
    this.active = node;
    for (const [n, { element }] of this.nodes.entries())
      setAttribute(element, "tabindex", n === node ? 0 : -1);
  }

  typed(event) {
    const next = nodeAfterKey(this.active, event.key, this.panel.sizes, this.goal.nodes);
    if (next != null) this.nodes[next].element.focus();
    else if (event.key === "Enter" || event.key === " ") this.toggle(this.active);
    else if (event.key === "Escape") this.actions.unselect();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

const inside = (panel, node) => Number.isInteger(node) && node >= 0 && node < panel.size;

export const flow = {
  kind: "flow",
  View: Flow,
  region: () => "flows",

  decode: (spec, sheets) => ({
    ...spec,
    places: new Set(spec.places),
    draft_sheet: sheets[spec.draft_sheet] ?? null,
    size: spec.labels.length,
  }),

  /** Of a flow, what is to be told of the nodes. */
  label: (panel, nodes) => tell(panel, nodes, signedNumber),

  has: (panel, nodes) => Array.isArray(nodes) && nodes.length > 0 && nodes.every((n) => inside(panel, n)),

  /** The nodes of the same names. */
  carry(nodes, from, to) {
    const names = nodes.map((node) => from.labels[node]);
    const there = [...to.labels.keys()].filter((node) => names.includes(to.labels[node]));
    return there.length ? there : null;
  },

  atoms: (panel, nodes) => nodes.filter((node) => panel.places.has(node)),

  tile(panel, node) {
    const one = (sheet, of, draft) => (sheet && of[node] >= 0 ? { sheet, tile: of[node], draft } : null);
    return one(panel.sheet, panel.icon_of, false) ?? one(panel.draft_sheet, panel.draft_of, true);
  },

  sheets: (panel) => [panel.sheet, panel.draft_sheet],
};

function signedNumber(value) {
  return formatValue(value, "number", true);
}

function tableRow(tag, ...cells) {
  return make("tr", {}, ...cells.map((text) => make(tag, tag === "th" ? { scope: "col" } : {}, text)));
}
