/**
 * The table through which C code calls functions by their address. Here functions of ours take the place of CPython's, which
 * they call in turn.
 */

/** Bytes of the C stack that a padded function takes; a multiple of 16. */
const PADDING = 64;

export interface TableModule {
  wasmTable: WebAssembly.Table;
  ___stack_pointer: WebAssembly.Global<'i32'>;
}

export class FunctionTable {
  private readonly replaced = new Set<number>();

  constructor(private readonly module: TableModule) {}

  /** Replaces a function with `make(copy)`: `copy` is the index where the present function is kept. */
  replace(index: number, make: (copy: number) => unknown): void {
    const { wasmTable } = this.module;
    const copy = wasmTable.grow(1);
    wasmTable.set(copy, wasmTable.get(index));
    wasmTable.set(index, make(copy));
  }

  /** `replace`, but only the first time it is called with `index`: several types may share one function. */
  replaceOnce(index: number, make: (copy: number) => unknown): void {
    if (!this.replaced.has(index)) {
      this.replaced.add(index);
      this.replace(index, make);
    }
  }

  /**
   * Makes functions take some of the C stack.
   *
   * @param bytes `native/padded.wat`, or a variant of it.
   * @param further What that module imports besides.
   */
  pad(bytes: BufferSource, indices: Set<number>, further: WebAssembly.ModuleImports = {}): void {
    const { wasmTable, ___stack_pointer: stack_pointer } = this.module;
    const padded = new WebAssembly.Module(bytes);
    for (const index of indices) {
      const python = { stack_pointer, padding: PADDING, target: wasmTable.get(index), ...further };
      wasmTable.set(index, new WebAssembly.Instance(padded, { python }).exports.padded);
    }
  }
}
