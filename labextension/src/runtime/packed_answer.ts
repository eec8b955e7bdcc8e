/**
 * The form of the page's answers in shared memory: `[uint32 length of the JSON][JSON][bytes]`. In the JSON, a Uint8Array is
 * `{"$bytes": [offset, length]}`.
 */

export function packAnswer(value: unknown): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const json = new TextEncoder().encode(
    JSON.stringify(value, (_key, item) => {
      if (item instanceof Uint8Array) {
        parts.push(item);
        size += item.length;
        return { $bytes: [size - item.length, item.length] };
      }
      return item;
    }),
  );
  const packed = new Uint8Array(4 + json.length + size);
  new DataView(packed.buffer).setUint32(0, json.length, true);
  packed.set(json, 4);
  let offset = 4 + json.length;
  for (const part of parts) {
    packed.set(part, offset);
    offset += part.length;
  }
  return packed;
}

/** Bytes in the result are views of `data`. */
export function unpackAnswer(data: Uint8Array): unknown {
  const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  const rest = data.subarray(4 + length);
  return JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)), (_key, value) =>
    value && typeof value === 'object' && Array.isArray(value.$bytes)
      ? rest.subarray(value.$bytes[0], value.$bytes[0] + value.$bytes[1])
      : value,
  );
}
