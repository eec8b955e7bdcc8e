/**
 * Takes the texts that Python's streams hold in a list. It runs no Python code, since Python may be in the middle of anything,
 * even of these streams. It uses CPython's C interface, which Pyodide's module exports.
 */

/** The functions of Pyodide's module that are called here. Numbers are addresses in its memory. */
export interface CPython {
  HEAPU8: Uint8Array;
  stringToNewUTF8(text: string): number;
  _PyList_Size(list: number): number;
  _PyList_Append(list: number, item: number): number;
  _PyList_SetSlice(list: number, low: number, high: number, items: number): number;
  _PyUnicode_FromString(text: number): number;
  _PyUnicode_Join(separator: number, list: number): number;
  _PyUnicode_AsEncodedString(text: number, encoding: number, errors: number): number;
  _PyBytes_AsString(bytes: number): number;
  _PyBytes_Size(bytes: number): number;
  _PyErr_Clear(): void;
  _Py_DecRef(object: number): void;
}

const FUNCTIONS = [
  '_PyList_Size',
  '_PyList_Append',
  '_PyList_SetSlice',
  '_PyUnicode_FromString',
  '_PyUnicode_Join',
  '_PyUnicode_AsEncodedString',
  '_PyBytes_AsString',
  '_PyBytes_Size',
  '_PyErr_Clear',
  '_Py_DecRef',
  'stringToNewUTF8',
] as const satisfies readonly (keyof CPython)[];

export class StreamTexts {
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  private readonly utf8: number;
  private readonly backslashreplace: number;
  private readonly nothing: number;

  /** @returns null if the module does not export all functions. */
  static of(module: object, list: number): StreamTexts | null {
    const python = module as CPython;
    return FUNCTIONS.every(name => typeof python[name] === 'function') ? new StreamTexts(python, list) : null;
  }

  /** @param list - address of a list of `str`, which lives as long as Python does. */
  private constructor(
    private readonly python: CPython,
    private readonly list: number,
  ) {
    this.utf8 = python.stringToNewUTF8('utf-8');
    // Lone surrogates cannot be passed to JavaScript.
    this.backslashreplace = python.stringToNewUTF8('backslashreplace');
    this.nothing = python._PyUnicode_FromString(python.stringToNewUTF8(''));
  }

  get size(): number {
    return this.python._PyList_Size(this.list);
  }

  /** Lets Python add texts to the list: it does so while the list is not empty. */
  invite(): void {
    this.python._PyList_Append(this.list, this.nothing);
  }

  /** Empties the list, so that Python writes the next text by a call. @returns the texts, joined. */
  take(): string {
    const { python, list, size } = this;
    if (size <= 0) {
      return '';
    }
    const joined = python._PyUnicode_Join(this.nothing, list);
    const bytes = joined && python._PyUnicode_AsEncodedString(joined, this.utf8, this.backslashreplace);
    python._Py_DecRef(joined);
    if (!bytes) {
      // Out of memory: the texts stay in the list until the next time.
      python._PyErr_Clear();
      return '';
    }
    const start = python._PyBytes_AsString(bytes) >>> 0; // above 2 GB, addresses come as negative numbers
    const text = this.decoder.decode(python.HEAPU8.subarray(start, start + python._PyBytes_Size(bytes)));
    python._PyList_SetSlice(list, 0, size, 0);
    python._Py_DecRef(bytes);
    return text;
  }
}
