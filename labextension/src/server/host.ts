/**
 * The server kernel's part in Deno. Kernel and worker are the same as in a page. Instead of a page there are two pipes to the kernel
 * process, which started Deno. This thread never runs user code, so it always listens.
 */
import type { KernelMessage } from '@jupyterlab/services';

import { BrowsergradKernel } from '../kernel/kernel';
import { KernelClient } from '../runtime/kernel_client';
import type { DriveAnswer, JupyterMessage } from '../runtime/protocol';
import { PipedDrive } from './piped_drive';
import { encodeFrame, readFrames, type Frame } from './frames';
import { OutputLimit } from './output_limit';

/** The parts of Deno that this file uses. */
declare const Deno: {
  stdin: { readable: AsyncIterable<Uint8Array> };
  stdout: { writeSync(bytes: Uint8Array): number };
  exit(status: number): never;
};

/** The first frame, written by `jupyterlite_browsergrad/server_kernel/sandbox.py`. */
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
  reply_bytes: number;
  file_bytes: number;
}

/** Longest line of the log, in characters. */
const MAX_LOG_LENGTH = 10_000;

/** Writes to the pipe. The kernel process reads it without delay, so writing hardly blocks, and nothing piles up here. */
function write(bytes: Uint8Array): void {
  try {
    for (let rest = bytes; rest.length; ) {
      rest = rest.subarray(Deno.stdout.writeSync(rest));
    }
  } catch {
    Deno.exit(1); // the kernel process has ended
  }
}

const send = (frame: Frame, buffers: Uint8Array[] = []): void => write(encodeFrame(frame, buffers));

class Host {
  private readonly drive: PipedDrive;
  private readonly kernel: BrowsergradKernel;
  private readonly output: OutputLimit;
  private cellMs: number | null;

  constructor(start: Start) {
    const { output_bytes, reply_bytes, file_bytes } = start;
    this.cellMs = start.cell_ms;
    this.drive = new PipedDrive(send, file_bytes, most =>
      this.kernel.endCell('OutputLimitError', `the cell made more than ${most} requests for files at once`),
    );
    this.output = new OutputLimit(
      output_bytes,
      reply_bytes,
      () => this.kernel.atWork,
      () => this.kernel.endCell('OutputLimitError', `the cell wrote more than its limit of ${output_bytes} bytes`),
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
      onLog: (level, text) => this.log(level, text),
      onBooted: () => send({ type: 'ready', from: this.kernel.startedFrom }),
      onBootFailed: message => send({ type: 'failed', message }),
      onRestarted: reason => send({ type: 'restarted', reason }),
      limitMs: () => this.cellMs,
    } as ConstructorParameters<typeof BrowsergradKernel>[0]);
  }

  private relay(message: JupyterMessage): void {
    const { buffers = [], ...rest } = message;
    const bytes = encodeFrame(
      { type: 'message', message: rest },
      buffers.map(buffer => new Uint8Array(buffer)),
    );
    const verdict = this.output.judge(message, bytes.length);
    if (verdict === 'long reply') {
      const evalue = `the reply is longer than its limit: ${bytes.length} bytes`;
      const content = { status: 'error', ename: 'ReplyLimitError', evalue, traceback: [`ReplyLimitError: ${evalue}`] };
      send({ type: 'message', message: { ...rest, metadata: {}, content: { ...content, execution_count: 0 } } });
    } else if (verdict === 'pass') {
      write(bytes);
    }
  }

  private log(level: string, text: string): void {
    const short = String(text).slice(0, MAX_LOG_LENGTH);
    if (this.output.passes(short.length)) {
      send({ type: 'log', level: String(level), text: short });
    }
  }

  receive(frame: Frame, buffers: Uint8Array[]): void {
    switch (frame.type) {
      case 'message':
        if ((frame.message as JupyterMessage).header.msg_type === 'input_reply') {
          this.output.answered();
        }
        void this.kernel.handleMessage({
          ...(frame.message as KernelMessage.IMessage),
          buffers: buffers.map(buffer => buffer.buffer as ArrayBuffer),
        });
        break;
      case 'limit':
        this.cellMs = frame.cell_ms as number | null;
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
Deno.exit(0); // the kernel process has closed the pipe, or has ended
