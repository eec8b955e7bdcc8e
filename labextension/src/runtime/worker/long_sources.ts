/**
 * Shows long sources to Python before `eval`, `exec` and `compile` get them: `nesting.py` refuses those that nest too deeply for
 * the compiler.
 */
import type { Structures } from './cpython_layout';
import type { FunctionTable } from './function_table';
import sourceBytes from './native/long_source.wat';

/** Characters from which a source may nest too deeply for the compiler. */
const LONG_SOURCE = 200;

export interface SourcesModule {
  HEAPU32: Uint32Array;
  wasmTable: WebAssembly.Table;
  _Py_DecRef(object: number): void;
  _PyObject_CallOneArg(callable: number, argument: number): number;
}

export class LongSources {
  private readonly longSource = new WebAssembly.Module(sourceBytes);

  /** @param types Addresses of `str` and `bytes`. */
  constructor(
    private readonly module: SourcesModule,
    private readonly table: FunctionTable,
    private readonly structures: Structures,
    private readonly types: number[],
  ) {}

  /**
   * Calls `prepare` before the function that `definition` defines. The function then gets what `prepare` returns.
   *
   * @param prepare Address of a Python function, called with the source.
   */
  guard(definition: number, prepare: number): void {
    const { module, structures, types } = this;
    this.table.replace(structures.function(definition), target => {
      const { exports } = new WebAssembly.Instance(this.longSource, {
        python: { table: module.wasmTable, target, release: module._Py_DecRef },
        guard: {
          // The first of the values at an address, if it is a long source.
          source: (values: number) => {
            const source = structures.word(values);
            return types.includes(structures.type(source)) && structures.size(source) >= LONG_SOURCE ? source : 0;
          },
          prepare: (source: number) => module._PyObject_CallOneArg(prepare, source),
          store: (values: number, value: number) => {
            module.HEAPU32[values >>> 2] = value;
          },
        },
      });
      return exports[`call${structures.arity(definition)}`];
    });
  }
}
