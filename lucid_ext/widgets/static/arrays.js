// Arrays as they arrive: base64 or bytes of 16 or 32 bits, wherever they stand in a payload.

const TYPED = { f32: Float32Array, i32: Int32Array, u16: Uint16Array };

/** Bytes of a base64 string, a DataView, an ArrayBuffer or a typed array: all have been seen. */
export function bytesOf(data) {
  if (typeof data === "string") {
    const text = atob(data);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** IEEE half precision to a number. */
export function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** {type, shape, data} as a flat typed array; f16 becomes Float32Array. With `rows`, all others are zero. */
export function decodeArray({ type, shape, data, rows }) {
  const bytes = bytesOf(data);
  // A copy, because a typed array must begin at a multiple of its element's size.
  const buffer = bytes.slice().buffer;
  const flat =
    type === "f16" ? Float32Array.from(new Uint16Array(buffer), halfToNumber) : new TYPED[type](buffer);
  if (!rows) return flat;
  const [height, width] = shape;
  const whole = new flat.constructor(height * width);
  rows.forEach((row, i) => {
    whole.set(flat.subarray(i * width, (i + 1) * width), row * width);
  });
  return whole;
}

function isArray(value) {
  return (
    value.data !== undefined && Array.isArray(value.shape) && (value.type === "f16" || value.type in TYPED)
  );
}

/** A copy of a payload's value with the arrays in it decoded, wherever they stand. */
export function decodeArrays(value) {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(decodeArrays);
  if (isArray(value)) return decodeArray(value);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, decodeArrays(part)]));
}

/** A matrix of this width, flat, with rows and columns exchanged. */
export function transposed(flat, width) {
  const height = flat.length / width;
  const result = new flat.constructor(flat.length);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) result[j * height + i] = flat[i * width + j];
  }
  return result;
}

/** Row `i` of a link's array. */
export function rowOf(link, part, i) {
  return link[part].subarray(i * link.width, (i + 1) * link.width);
}
