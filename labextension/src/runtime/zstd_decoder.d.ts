/** The decoder of the npm package zstddec as gzip in base64; put in when the runtime is built: `scripts/zstd.mjs`. */
declare module 'zstd-decoder.wasm' {
  const packed: string;
  export default packed;
}
