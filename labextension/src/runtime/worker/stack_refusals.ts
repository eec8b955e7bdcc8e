/**
 * Refuses some calls near CPython's limit with RecursionError, where CPython itself would do something else: its compiler raises
 * MemoryError, and it puts off deallocation, so that objects whose `__del__` makes more of them would go on for ever.
 */
import type { Arity } from './cpython_layout';
import type { FunctionTable, TableModule } from './function_table';
import refusedBytes from './native/refused.wat';
import type { RecursionLimit } from './recursion_limits';

export interface RefusalsModule extends TableModule {
  _Py_EnterRecursiveCall(where: number): number;
  _Py_LeaveRecursiveCall(): void;
  _PyErr_WriteUnraisable(object: number): void;
}

export class StackRefusals {
  private readonly refused = new WebAssembly.Module(refusedBytes);

  /** @param noText Address of an empty text, for the error's message. */
  constructor(
    private readonly module: RefusalsModule,
    private readonly table: FunctionTable,
    private readonly limit: RecursionLimit,
    private readonly noText: number,
  ) {}

  /** Refuses a C function near the limit. @param kind The export of `native/refused.wat` with its parameters. */
  guard(index: number, kind: `call${Arity}` | 'finalize'): void {
    const { wasmTable, ___stack_pointer: stack_pointer } = this.module;
    this.table.replace(index, target => {
      const { exports } = new WebAssembly.Instance(this.refused, {
        python: { table: wasmTable, target, stack_pointer },
        guard: { near: this.limit.near, refuse: (object: number) => this.refuse(object) },
      });
      return exports[kind];
    });
  }

  /**
   * Raises RecursionError, or only reports it for an object that is finalized.
   *
   * @returns 0 where CPython is raising one already, else 1.
   */
  private refuse(object: number): number {
    const { limit, module } = this;
    const before = limit.current();
    limit.exhaust(module.___stack_pointer.value);
    const refused = module._Py_EnterRecursiveCall(this.noText) !== 0;
    limit.restore(before);
    if (!refused) {
      module._Py_LeaveRecursiveCall();
    } else if (object) {
      module._PyErr_WriteUnraisable(object);
    }
    return Number(refused);
  }
}
