/** A worker in memory, which behaves as the page expects: it boots, keeps files, and runs what a test scripts. */
import type { FromWorker, ToWorker } from '../../src/runtime/protocol';

type Exec = Extract<ToWorker, { type: 'exec' }>;

export class FakeWorker {
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  onmessageerror: (() => void) | null = null;
  terminated = false;
  readonly files = new Map<string, Uint8Array>();
  /** Code that was run, in order. */
  readonly ran: string[] = [];
  readonly received: ToWorker[] = [];
  private held: (() => void) | null = null;
  private running: Exec | null = null;

  constructor(private readonly script: { holdBoot?: boolean; bootFails?: string; answersInterrupts?: boolean } = {}) {}

  postMessage(message: ToWorker): void {
    this.received.push(structuredClone(message));
    queueMicrotask(() => {
      if (!this.terminated) {
        this.take(message);
      }
    });
  }

  terminate(): void {
    this.terminated = true;
  }

  /** Lets a start that was held go on. */
  boot(): void {
    this.held?.();
    this.held = null;
  }

  get isBooting(): boolean {
    return this.held !== null;
  }

  send(message: FromWorker): void {
    if (!this.terminated) {
      this.onmessage?.({ data: message } as MessageEvent<FromWorker>);
    }
  }

  /** Ends the code that runs. */
  finish(error: object | null = null): void {
    const { id } = this.running!;
    this.running = null;
    this.send({ type: 'done', id, value: { error } });
  }

  private take(message: ToWorker): void {
    switch (message.type) {
      case 'boot':
        this.send({ type: 'alive' });
        this.held = () => this.booted();
        if (!this.script.holdBoot) {
          this.boot();
        }
        break;
      case 'exec':
        this.ran.push(message.code);
        this.running = message;
        if (message.code !== 'forever') {
          this.finish();
        }
        break;
      case 'interrupt':
        if (this.running && this.script.answersInterrupts) {
          this.finish({ kind: 'interrupted', message: 'KeyboardInterrupt' });
        }
        break;
      case 'fs':
        this.file(message.id, message.operation);
        break;
      case 'clear':
        this.send({ type: 'done', id: message.id, value: null });
        break;
    }
  }

  private booted(): void {
    const { bootFails } = this.script;
    if (bootFails !== undefined) {
      this.send({ type: 'boot-failed', message: bootFails });
      return;
    }
    const info = {
      pythonVersion: '3.14.2',
      pyodideVersion: '314.0.7',
      interruptMode: 'shared-memory',
      from: 'files',
    } as const;
    this.send({ type: 'booted', info });
  }

  private file(id: number, operation: Extract<ToWorker, { type: 'fs' }>['operation']): void {
    if (this.running) {
      return; // busy with code that never returns
    }
    if (operation.kind === 'write') {
      this.files.set(operation.path, operation.data);
      this.send({ type: 'done', id, value: null });
    } else if (this.files.has(operation.path)) {
      this.send({ type: 'done', id, value: this.files.get(operation.path)! });
    } else {
      this.send({ type: 'failed', id, errno: 'ENOENT', message: `${operation.path} could not be read` });
    }
  }
}
