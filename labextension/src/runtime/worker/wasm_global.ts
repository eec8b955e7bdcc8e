/** An i32 that our WebAssembly modules read and JavaScript changes. */
export function mutable(value: number): WebAssembly.Global<'i32'> {
  return new WebAssembly.Global({ value: 'i32', mutable: true }, value);
}
