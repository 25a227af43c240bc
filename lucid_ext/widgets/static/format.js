// Numbers as they are printed, here as in Python.

/** A value as it is printed; a true minus sign keeps figures aligned. */
export function formatValue(value, format, signed = false) {
  const text = format === "percent" ? `${(100 * value).toFixed(1)}%` : value.toFixed(2);
  return (signed && value > 0 ? "+" : "") + text.replace("-", "\u2212");
}
