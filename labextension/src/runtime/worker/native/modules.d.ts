/** Assembled when the runtime is built: `scripts/wat.mjs`. */
declare module '*.wat' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module '*.wat?unshared' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
