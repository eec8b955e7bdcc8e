/**
 * The worker's entry: receives messages, handles one request at a time, and answers each.
 */
import { useOwnPage } from '../assets';
import type { BootAssets } from '../boot_assets';
import { errorText, fatalText, isOutOfMemory } from '../errors';
import { Control, type BootOptions, type FromWorker, type InterruptMode, type ToWorker } from '../protocol';
import { AbortableLoads } from './abortable_loads';
import { boot as bootPython } from './boot';
import { InterruptController } from './control';
import { LongTexts } from './long_texts';
import { OutputBuffer } from './output';
import { PageCalls } from './page_calls';
import type { Python } from './python';
import { sealScope } from './seal';

interface WorkerScope {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  addEventListener(type: string, listener: (event: PromiseRejectionEvent) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const post = (message: FromWorker, transfer: Transferable[] = []): void => scope.postMessage(message, transfer);

let interrupts: InterruptController;
let calls: PageCalls;
let python: Python | null = null;
let chain: Promise<unknown> = Promise.resolve();

/** Settled by the page's `assets` message. */
const assetsOfPage = ((): {
  promise: Promise<BootAssets | null>;
  resolve(assets: BootAssets | null): void;
  reject(error: Error): void;
} => {
  let resolve!: (assets: BootAssets | null) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<BootAssets | null>((...settle) => {
    [resolve, reject] = settle;
  });
  promise.catch(() => undefined); // the boot awaits it and reports the error
  return { promise, resolve, reject };
})();

function interruptMode(options: BootOptions): InterruptMode {
  if (options.control) {
    return 'shared-memory';
  }
  if ('Suspending' in WebAssembly) {
    return 'stack-switching';
  }
  return options.channel ? 'service-worker' : 'none';
}

async function boot(options: BootOptions): Promise<void> {
  if (options.sealed) {
    sealScope();
  }
  if (options.mode === 'session') {
    useOwnPage();
  }
  calls = new PageCalls(post, () => interrupts, options.reply, options.channel);
  const output = new OutputBuffer(
    post,
    () => interrupts.control,
    options.control !== null || options.mode === 'kernel',
  );
  const loads = new AbortableLoads(() => interrupts.running);
  interrupts = new InterruptController({
    control: options.control,
    mode: interruptMode(options),
    askPage: epoch => calls.askInterrupt(epoch),
    flushOutput: () => output.flush(),
    onStop: epoch => loads.abort(epoch),
    flushDueOutput: time => output.flushDue(time),
    onError: text => post({ type: 'log', level: 'error', text }),
  });
  try {
    const assets = options.assetsFollow ? assetsOfPage.promise : null;
    const [booted, info] = await bootPython(options, {
      interrupts,
      output,
      calls,
      loads,
      longTexts: new LongTexts(),
      post,
      assets,
    });
    python = booted;
    const way = info.from === 'snapshot' ? 'its memory snapshot' : 'its files';
    post({ type: 'log', level: 'info', text: `Python has started from ${way}` });
    post({ type: 'booted', info });
  } catch (error) {
    post({ type: 'boot-failed', message: bootErrorText(error) });
  }
}

/** Says why Python did not start. Adds advice where the browser's message says little. */
function bootErrorText(error: unknown): string {
  const text = errorText(error);
  return isOutOfMemory(error)
    ? `the browser has not enough memory for Python (${text}): close other tabs or kernels, then restart this kernel`
    : text;
}

async function answer(id: number, work: () => unknown): Promise<void> {
  try {
    post({ type: 'done', id, value: await work() });
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) {
      // Python's memory may be damaged. Pyodide reports this itself, unless it fails while it does that.
      post({ type: 'fatal', message: fatalText(error) });
    }
    const errno = (error as { errno?: unknown } | null)?.errno;
    post({
      type: 'failed',
      id,
      message: errorText(error),
      ...(errno === undefined ? {} : { errno: String(errno) }),
    });
  }
}

function booted(): Python {
  if (!python) {
    throw new Error('Python has not started');
  }
  return python;
}

/** Handles one request at a time; later ones wait. */
function enqueue(id: number, work: () => unknown): void {
  chain = chain.then(() => answer(id, work));
}

function receive(message: ToWorker): void {
  switch (message.type) {
    case 'boot':
      void boot(message.options);
      break;
    case 'assets':
      if (message.problem === undefined) {
        assetsOfPage.resolve(message.assets);
      } else {
        assetsOfPage.reject(new Error(message.problem));
      }
      break;
    case 'fetched':
      python?.takeFile(message.url, message.file);
      break;
    case 'expect':
      python?.expect(message.modules); // not queued: no request waits for it
      break;
    case 'exec':
      enqueue(message.id, () => booted().exec(message.code, message.epoch, message.loadImports));
      break;
    case 'jupyter':
      enqueue(message.id, () => booted().jupyter(message, message.epoch));
      break;
    case 'interrupt':
      interrupts?.receive(message.epoch, message);
      break;
    case 'input':
      calls.deliverInput(message.value);
      break;
    case 'taken':
      Atomics.store(interrupts.control, Control.OutputTaken, message.bytes);
      interrupts.scheduler.hastenTick();
      break;
    case 'fs':
      // Not queued: the page can write a file while a cell awaits.
      void answer(message.id, () => {
        const { operation } = message;
        const { files } = booted();
        switch (operation.kind) {
          case 'write':
            return files.write(operation.path, operation.data);
          case 'read':
            return files.read(operation.path);
          case 'read-all':
            return files.readAll(operation.path);
        }
      });
      break;
    case 'adopt':
      enqueue(message.id, () => booted().adopt(message.adoption));
      break;
    case 'ahead':
      enqueue(message.id, () => booted().getAhead(message.epoch));
      break;
    case 'import-ahead':
      enqueue(message.id, () => booted().importAhead(message.modules));
      break;
    case 'clear':
      enqueue(message.id, () => booted().clearNamespace());
      break;
  }
}

scope.onmessage = event => {
  interrupts?.noteTurn();
  receive(event.data);
};
scope.addEventListener('unhandledrejection', event => {
  event.preventDefault();
  post({ type: 'log', level: 'error', text: errorText(event.reason) });
});
// Errors in JavaScript callbacks come from user code. Without this handler Deno would end the worker.
scope.addEventListener('error', event => {
  event.preventDefault();
  post({ type: 'log', level: 'error', text: (event as unknown as ErrorEvent).message });
});
post({ type: 'alive' });
