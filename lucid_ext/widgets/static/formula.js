// Formulas: elements of MathML built one by one from lists of what is allowed, never parsed.

const NAMESPACE = "http://www.w3.org/1998/Math/MathML";

/** The element of an encoded formula, [name, {attribute: value}, child or text, ...]. */
export function drawFormula([name, attributes, ...children]) {
  if (!MATHML.elements.includes(name)) throw new Error(`No element of a formula: ${name}`);
  const element = document.createElementNS(NAMESPACE, name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (MATHML.attributes.includes(attribute)) element.setAttribute(attribute, value);
  }
  element.append(...children.map((child) => (typeof child === "string" ? child : drawFormula(child))));
  return element;
}
