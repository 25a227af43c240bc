// The host of a page without Jupyter: the six methods a view may call, and nothing else.

import { render } from "./board.js";

/** A model that lives in the page. */
class PageModel {
  constructor(state) {
    this.state = state;
    this.handlers = new Map();
  }

  get(name) {
    return this.state[name];
  }

  set(name, value) {
    this.state[name] = value;
    for (const handler of this.handlers.get(`change:${name}`) ?? []) handler();
  }

  on(event, handler) {
    if (!this.handlers.has(event)) this.handlers.set(event, new Set());
    this.handlers.get(event).add(handler);
  }

  off(event, handler) {
    this.handlers.get(event)?.delete(handler);
  }

  save_changes() {}

  send() {}
}

const state = JSON.parse(document.getElementById("lx-state").textContent);
const model = new PageModel({
  selected: {},
  hovered: {},
  streamed: {},
  shown: {},
  names: {},
  status: "",
  ...state,
});
const host = document.getElementById("lx-host");
render({ model, el: host });
window.lucidExt = model;

// In an iframe, tell the page around it how high this one is.
if (window.parent !== window) {
  const tell = () => window.parent.postMessage({ lucidExtHeight: host.offsetHeight }, "*");
  new ResizeObserver(tell).observe(host);
}
