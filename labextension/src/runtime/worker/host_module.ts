/**
 * The module `_browsergrad_host`, with every function of this worker that the Python side calls. Python's `_host.py` lists the
 * same functions.
 */
import type { PackageProgress } from '../protocol';
import type { InterruptController } from './control';
import { HttpRequests } from './http_requests';
import type { Outcome } from './interrupt_state';
import { FETCHES_NOW } from './lazy_assets';
import { importedSources } from './load_pyodide';
import type { OutputBuffer } from './output';
import type { Packages } from './packages';
import type { PageCalls } from './page_calls';
import { bytesOf, copyBuffers, type Post, type PyProxy } from './pyodide';

/** Name under which Python imports the module. */
export const HOST_MODULE = '_browsergrad_host';

/** This script's address, as it appears in Python's tracebacks that go through JavaScript. */
const SCRIPT = /\w+:\/\/[^\s()]+?(?=:\d+:\d+)/.exec(new Error().stack ?? '')?.[0] ?? '';

/** The parts of the worker that the functions use. */
export interface HostParts {
  interrupts: InterruptController;
  output: OutputBuffer;
  calls: PageCalls;
  packages: Pick<Packages, 'load' | 'loadImports' | 'missingFor' | 'orderJson' | 'readNow' | 'loadNow' | 'note'>;
  post: Post;
  /** Prepares the stack guard for code that begins. */
  guardStack(): void;
  /** Writes back files that a cell has changed and not closed. */
  saveOpenFiles(): void;
  /** Whether the running Python can be suspended. */
  canSuspend(): boolean;
}

export function hostModule(parts: HostParts): object {
  const { interrupts, output, calls, packages, post } = parts;
  const http = new HttpRequests();
  return {
    publish: (json: string, buffers: PyProxy | null | undefined) =>
      output.message(json, buffers ? copyBuffers(buffers) : []),
    stream_parent: (json: string, newest?: boolean) => output.setParent(json, newest),
    write: (name: 'stdout' | 'stderr', text: string) => output.write(name, text),
    flush: (end?: boolean) => (end ? output.endRequest() : output.flush()),
    begin: (epoch: number, request: boolean) => {
      parts.guardStack();
      interrupts.begin(epoch, request);
    },
    end: (epoch: number) => {
      parts.saveOpenFiles();
      return interrupts.end(epoch);
    },
    interrupt_outcome: (outcome: Outcome) => interrupts.outcome(outcome),
    interrupt_snapshot: () => interrupts.snapshot(),
    take_interrupt: () => interrupts.take(),
    limit: (ms: number) => post({ type: 'limit', ms }),
    slow_clock: () => interrupts.clock.isSlow,
    is_own_script: (address: string) => address === SCRIPT || importedSources.has(address),
    user_start: () => interrupts.clock.userStarts(),
    schedule: interrupts.scheduler.schedule,
    schedule_first: interrupts.scheduler.putNextFirst,
    wait: (ms: number) => interrupts.wait.until(ms, () => false) === 'interrupted',
    wait_mode: () => interrupts.mode,
    can_suspend: () => parts.canSuspend(),
    room: () => calls.waitForRoom(output.hasRoom),
    input_clear: () => calls.clearInput(),
    input_wait: () => calls.waitInput(),
    input_promise: () => calls.nextInput(),
    tick: (ms?: number) => interrupts.scheduler.tick(ms),
    tick_done: () => interrupts.tickDone(),
    poll_main: () => interrupts.pollPage(),
    log: (text: string) => post({ type: 'log', level: 'warning', text }),
    request: (json: string, body: PyProxy | undefined) => http.ask(json, bytesOf(body)),
    request_now: (json: string, body: PyProxy | undefined) => http.askNow(json, bytesOf(body)),
    request_abort: () => http.abort(),
    offer_ahead: () => post({ type: 'ahead' }),
    load_packages: async (names: PyProxy) => packages.load(names.toJs() as string[]),
    packages_from_imports: (code: string) => packages.loadImports(code),
    package_of: (module: string) => packages.missingFor(module),
    packages_in_order: (name: string) => packages.orderJson(name),
    reads_now: () => FETCHES_NOW,
    load_now: (name: string) => packages.loadNow(name),
    read_now: (file: string) => packages.readNow(file),
    package_is: (name: string, status: PackageProgress['status'], message?: string) =>
      packages.note(name, status, message),
  };
}
