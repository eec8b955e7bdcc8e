/**
 * The kernel on a server, in Deno: the same kernel and worker as in a page, and instead of a page two
 * pipes to the Python process that started it. This thread never runs user code, so it always listens.
 */
import type { KernelMessage } from '@jupyterlab/services';

import { BrowsergradKernel } from '../kernel/kernel';
import { KernelClient } from '../runtime/kernel_client';
import type { DriveAnswer, JupyterMessage } from '../runtime/protocol';
import { ParentDrive } from './drive';
import { encodeFrame, readFrames, type Frame } from './frames';

/** What of Deno this file uses. */
declare const Deno: {
  stdin: { readable: AsyncIterable<Uint8Array> };
  stdout: { writeSync(bytes: Uint8Array): number };
  exit(status: number): never;
};

/** The first frame; `jupyterlite_browsergrad/server_kernel/sandbox.py` writes it. */
interface Start extends Frame {
  static_url: string;
  pyodide_url: string;
  kernel_url: string;
  session_id: string;
  shares_folder: boolean;
  from_files: boolean;
  piplite_urls: string[];
  disable_pypi: boolean;
  cell_ms: number | null;
  output_bytes: number;
}

/** Of these a cell may send no more once it has passed its limit. */
const OUTPUT = new Set(['stream', 'display_data', 'update_display_data', 'execute_result', 'comm_msg', 'comm_open']);

/** The pipe is always read at once, so that writing to it hardly blocks, and nothing piles up here. */
function write(bytes: Uint8Array): void {
  try {
    for (let rest = bytes; rest.length; ) {
      rest = rest.subarray(Deno.stdout.writeSync(rest));
    }
  } catch {
    Deno.exit(1); // the Python process has gone
  }
}

const send = (frame: Frame, buffers: Uint8Array[] = []): void => write(encodeFrame(frame, buffers));

/** Counts what each cell sends. */
class OutputLimit {
  private cell = '';
  private bytes = 0;

  constructor(
    private readonly limit: number,
    private readonly exceeded: () => void,
  ) {}

  /** Whether a message of `bytes` may pass. */
  passes(message: JupyterMessage, bytes: number): boolean {
    if (!OUTPUT.has(message.header.msg_type)) {
      return true;
    }
    const cell = message.parent_header.msg_id ?? '';
    if (cell !== this.cell) {
      this.cell = cell;
      this.bytes = 0;
    }
    this.bytes += bytes;
    if (this.bytes > this.limit) {
      this.exceeded();
      return false;
    }
    return true;
  }
}

class Host {
  private readonly drive = new ParentDrive((frame, bytes) => send(frame, bytes));
  private readonly kernel: BrowsergradKernel;
  private readonly output: OutputLimit;

  constructor(start: Start) {
    const { output_bytes, cell_ms } = start;
    this.output = new OutputLimit(output_bytes, () =>
      this.kernel.endCell('OutputLimitError', `the cell wrote more than its limit of ${output_bytes} bytes`),
    );
    this.kernel = new BrowsergradKernel({
      id: start.session_id,
      name: 'browsergrad',
      location: '',
      sendMessage: message => this.relay(message as unknown as JupyterMessage),
      createClient: async callbacks =>
        new KernelClient({
          ...callbacks,
          pyodideIndexURL: start.pyodide_url,
          kernelURL: start.kernel_url,
          workerURL: `${start.static_url}runtime/worker.js`,
          sessionId: start.session_id,
          piplite: { urls: start.piplite_urls, disablePyPI: start.disable_pypi },
          baseUrl: start.static_url,
          serviceWorker: false,
          sealed: true,
          fromFiles: start.from_files,
          drive: start.shares_folder ? { request: request => this.drive.request(request) } : undefined,
        }),
      onLog: (level, text) => send({ type: 'log', level, text }),
      onBooted: () => send({ type: 'ready', from: this.kernel.startedFrom }),
      onBootFailed: message => send({ type: 'failed', message }),
      onRestarted: reason => send({ type: 'restarted', reason }),
      limitMs: () => cell_ms,
    } as ConstructorParameters<typeof BrowsergradKernel>[0]);
  }

  private relay(message: JupyterMessage): void {
    const { buffers = [], ...rest } = message;
    const bytes = encodeFrame(
      { type: 'message', message: rest },
      buffers.map(buffer => new Uint8Array(buffer)),
    );
    if (this.output.passes(message, bytes.length)) {
      write(bytes);
    }
  }

  receive(frame: Frame, buffers: Uint8Array[]): void {
    switch (frame.type) {
      case 'message':
        void this.kernel.handleMessage({
          ...(frame.message as KernelMessage.IMessage),
          buffers: buffers.map(buffer => buffer.buffer as ArrayBuffer),
        });
        break;
      case 'interrupt':
        this.kernel.interrupt();
        break;
      case 'drive':
        this.drive.answer(frame.id as number, frame.answer as DriveAnswer, buffers);
        break;
    }
  }
}

let host: Host | null = null;
for await (const { frame, buffers } of readFrames(Deno.stdin.readable)) {
  if (host) {
    host.receive(frame, buffers);
  } else {
    host = new Host(frame as Start);
  }
}
Deno.exit(0); // the Python process has closed the pipe, or died
