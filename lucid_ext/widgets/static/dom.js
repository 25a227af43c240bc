// The few DOM helpers the view needs. Text always goes in as text, never as markup.

const SIDES = ["x", "y", "width", "height"];

/** An element with attributes, listeners (`onclick`) and children; null attributes are left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

const placed = new WeakMap(); // element -> its box

/** Place an element at a box given in fractions of its parent. */
export function place(element, box) {
  const before = placed.get(element);
  if (before && SIDES.every((side) => before[side] === box[side])) return;
  placed.set(element, box);
  element.style.left = `${100 * box.x}%`;
  element.style.top = `${100 * box.y}%`;
  element.style.width = `${100 * box.width}%`;
  element.style.height = `${100 * box.height}%`;
}

/** Set an attribute only where it changes, so that nothing is announced or laid out anew. */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** Set an element's text only where it changes; where it can, in the same node, which costs less layout. */
export function setText(element, text) {
  if (element.textContent === text) return;
  const { firstChild, childNodes } = element;
  if (childNodes.length === 1 && firstChild.nodeType === Node.TEXT_NODE) firstChild.data = text;
  else element.textContent = text;
}

/** Set a name, "block4a_expand:47", which breaks after its marks where room is short, not in its number. */
export function setName(element, text) {
  if (element.textContent === text) return;
  const [head, ...parts] = text.split(/(?<=[:_])/);
  if (!parts.length) return setText(element, text);
  element.replaceChildren(head, ...parts.flatMap((part) => [make("wbr"), part]));
}

let count = 0;

/** An id no other view on the page has. */
export function newId() {
  count += 1;
  return `lx-${count}-${Math.random().toString(36).slice(2, 8)}`;
}
