/** Decoders of npm packages as gzip in base64; put in when the runtime is built: `scripts/decoders.mjs`. */
declare module 'zstd-decoder.wasm' {
  const packed: string;
  export default packed;
}
declare module 'xz-decoder.wasm' {
  const packed: string;
  export default packed;
}
