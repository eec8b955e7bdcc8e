/**
 * Checks the arguments of the public runtime before they are used. Every error names the option.
 */
import type { ExecOptions, SessionOptions } from './api';
import { BrowsergradError } from './errors';

/** The longest time a browser's timers can wait, ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Checked options of an exec: a copy, so that later changes of the caller's object have no effect. */
export type CheckedExec = Omit<ExecOptions, 'timeoutMs'> & {
  /** Null means no limit. */
  timeoutMs: number | null;
};

/** Checked options of a session. Where there is a page, URLs are absolute. */
export type CheckedSession = Omit<SessionOptions, 'kernelURL'> & { kernelURL: string };

/** @throws BrowsergradError `bad-option`. */
export function invalid(message: string): never {
  throw new BrowsergradError('bad-option', message);
}

/** A short description of a value, safe to show. */
function shown(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.prototype.toString.call(value).slice('[object '.length, -1);
  }
  return typeof value === 'function' ? 'a function' : String(value);
}

/** Returns the value as an object. @throws BrowsergradError if it is not one. */
function fieldsOf(value: unknown, usage: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    invalid(`${usage}, not ${shown(value)}`);
  }
  return value as Record<string, unknown>;
}

/** Checks an option that may be left out. */
function optional<T>(value: unknown, name: string, wanted: string, fits: (value: unknown) => boolean): T | undefined {
  if (value !== undefined && !fits(value)) {
    invalid(`${name} must be ${wanted}, not ${shown(value)}`);
  }
  return value as T | undefined;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isFunction = (value: unknown): boolean => typeof value === 'function';

function callback<T>(fields: Record<string, unknown>, name: string): T | undefined {
  return optional<T>(fields[name], name, 'a function', isFunction);
}

/**
 * Whether the object has these methods. The class of a worker or signal cannot be checked, since it may come from another
 * window.
 */
function hasMethods(value: unknown, ...names: string[]): boolean {
  return typeof value === 'object' && value !== null && names.every(name => isFunction((value as never)[name]));
}

function isWorker(value: unknown): value is Worker {
  return hasMethods(value, 'postMessage', 'terminate');
}

function isSignal(value: unknown): boolean {
  return (
    hasMethods(value, 'addEventListener', 'removeEventListener') && typeof (value as AbortSignal).aborted === 'boolean'
  );
}

/** The base of relative URLs; undefined where there is no page. */
function pageURL(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href;
}

/** The absolute URL; where there is no page, the text as it is. */
function absolute(text: string, name: string): string {
  const base = pageURL();
  try {
    return new URL(text, base).href;
  } catch {
    return base === undefined ? text : invalid(`${name} is not a URL: ${shown(text)}`);
  }
}

function folderURL(text: string, name: string): string {
  return absolute(text.endsWith('/') ? text : `${text}/`, name);
}

/** The default folder of the kernel's packs. A bundler may have put this module anywhere. */
function kernelFolder(indexURL: string): string {
  const here = import.meta.url;
  // In a bundle of webpack, this is the path of the source on the disk of the machine that made it.
  const isOfPage = !here.startsWith('file:') || globalThis.location?.protocol === 'file:';
  return isOfPage && here.endsWith('/runtime/index.js')
    ? new URL('../kernel/', here).href
    : absolute(`${indexURL}../kernel/`, 'kernelURL');
}

/** Calls the page's function that makes a worker. */
function made(factory: () => unknown): Worker {
  const worker = factory();
  if (!isWorker(worker)) {
    invalid(`the function given as worker must return a Worker, not ${shown(worker)}`);
  }
  return worker;
}

/** @throws BrowsergradError `bad-option`, or `no-browser` where nothing can run Python. */
export function checkSession(given: SessionOptions): CheckedSession {
  const fields = fieldsOf(given, 'createSession needs an options object with pyodideIndexURL');
  const { pyodideIndexURL: index } = fields;
  if (!isText(index)) {
    const wrong = index === undefined || index === '' ? '' : `, not ${shown(index)}`;
    invalid(`pyodideIndexURL is required: the URL of the folder that holds pyodide.mjs, as a string${wrong}`);
  }
  const kernel = optional<string>(fields.kernelURL, 'kernelURL', 'the URL of a folder, as a string', isText);
  const packages = optional<string[]>(
    fields.packages,
    'packages',
    'a list of strings that are not empty',
    value => Array.isArray(value) && value.every(isText),
  );
  const jsModules = optional<unknown[]>(
    fields.jsModules,
    'jsModules',
    'a list of {name, importURL, exportName?}',
    Array.isArray,
  )?.map((module, at) => checkModule(module, `jsModules[${at}]`));
  const disableInterruptBuffer = optional<boolean>(
    fields.disableInterruptBuffer,
    'disableInterruptBuffer',
    'true or false',
    value => typeof value === 'boolean',
  );
  const worker = optional<SessionOptions['worker']>(
    fields.worker,
    'worker',
    'a Worker or a function that makes one',
    value => isFunction(value) || isWorker(value),
  );
  const onPackageProgress = callback<SessionOptions['onPackageProgress']>(fields, 'onPackageProgress');
  if (worker === undefined) {
    needBrowser();
  }
  const pyodideIndexURL = folderURL(index as string, 'pyodideIndexURL');
  const { origin } = globalThis.location ?? {};
  if (origin !== undefined && new URL(pyodideIndexURL).origin !== origin) {
    invalid(
      `pyodideIndexURL must have the page's origin (${origin}), not ${new URL(pyodideIndexURL).origin}: copy the Pyodide folder to your site`,
    );
  }
  return {
    pyodideIndexURL,
    kernelURL: kernel === undefined ? kernelFolder(pyodideIndexURL) : folderURL(kernel, 'kernelURL'),
    packages: packages && [...packages],
    jsModules,
    disableInterruptBuffer,
    worker: typeof worker === 'function' ? () => made(worker) : worker,
    onPackageProgress,
  };
}

function checkModule(given: unknown, name: string): { name: string; importURL: string; exportName?: string } {
  const fields = fieldsOf(given, `${name} must be {name, importURL, exportName?}`);
  for (const field of ['name', 'importURL']) {
    if (!isText(fields[field])) {
      invalid(
        `jsModules: each needs a name and an importURL, both strings; ${name}.${field} is ${shown(fields[field])}`,
      );
    }
  }
  const exportName = optional<string>(fields.exportName, `${name}.exportName`, 'a string', isText);
  const importURL = absolute(fields.importURL as string, `${name}.importURL`);
  return { name: fields.name as string, importURL, ...(exportName === undefined ? {} : { exportName }) };
}

function needBrowser(): void {
  if (typeof Worker === 'undefined' || pageURL() === undefined) {
    throw new BrowsergradError(
      'no-browser',
      'createSession runs Python in a web worker of a page, and there is none here (Worker is not available, or there is ' +
        'no page): call it in a browser, not while a server renders or builds the page',
    );
  }
}

/** @throws BrowsergradError `bad-option`. */
export function checkExec(given: ExecOptions): CheckedExec {
  const fields = fieldsOf(given, 'exec needs {code: string}');
  const { code, timeoutMs, signal } = fields;
  if (typeof code !== 'string') {
    invalid(`exec needs code, a string, not ${shown(code)}`);
  }
  return {
    code,
    timeoutMs: limitOf(timeoutMs),
    signal: optional<AbortSignal>(signal, 'signal', "an AbortSignal, such as an AbortController's signal", isSignal),
    onStdout: callback(fields, 'onStdout'),
    onStderr: callback(fields, 'onStderr'),
    onAssertion: callback(fields, 'onAssertion'),
    onArtifact: callback(fields, 'onArtifact'),
  };
}

/** Returns the limit in ms, or null for none. */
function limitOf(timeoutMs: unknown): number | null {
  if (timeoutMs === undefined || timeoutMs === null) {
    return null;
  }
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
    return invalid(`timeoutMs must be a number of milliseconds, or 0 or null for no limit, not ${shown(timeoutMs)}`);
  }
  return timeoutMs === 0 || timeoutMs > MAX_TIMER_MS ? null : timeoutMs;
}

/** Returns an absolute path in Python's file system. */
export function checkPath(path: unknown): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    return invalid(`path must be a string that is not empty and holds no NUL, not ${shown(path)}`);
  }
  return path.startsWith('/') ? path : `/home/pyodide/${path}`;
}

/** Returns a copy of the bytes: the caller may change or transfer the original while the operation waits. */
export function checkData(data: unknown): Uint8Array {
  if (typeof data === 'string') {
    return new TextEncoder().encode(data);
  }
  // The class cannot be checked: the bytes may come from another window.
  if (ArrayBuffer.isView(data) && Object.prototype.toString.call(data) === '[object Uint8Array]') {
    return (data as Uint8Array).slice();
  }
  return invalid(`data must be a string or a Uint8Array, not ${shown(data)}`);
}
