// Without chance and clock, the same input gives the same bytes. To be imported before Pyodide.
import { createRequire } from 'node:module';

let seed = 12345;
const pseudoRandom = array => {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let i = 0; i < bytes.length; i++) {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    bytes[i] = (seed >> 8) & 255;
  }
  return array;
};
Object.defineProperty(globalThis.crypto, 'getRandomValues', { value: pseudoRandom, configurable: true });
createRequire(import.meta.url)('node:crypto').randomFillSync = pseudoRandom;

const EPOCH = Date.UTC(2025, 0, 1);
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length ? args : [EPOCH]));
  }
  static now() {
    return EPOCH;
  }
};
performance.now = () => 1000;
process.hrtime = Object.assign(() => [1, 0], { bigint: () => 1_000_000_000n });
