/**
 * The drive of a kernel on a server. Every request goes to the kernel process: only it accesses files.
 *
 * The worker waits for the answer to each of its requests, so there is one at a time. A second one comes only after an interrupt has
 * ended that wait. But user code can post requests too, any number of them and in any form.
 */
import type { DriveAnswer } from '../runtime/protocol';

/** Fields that hold a number: a file's mode, and its times. */
const NUMBERS = ['mode', 'atime', 'mtime'] as const;

interface Asked {
  method: string;
  path: string;
  numbers: Partial<Record<(typeof NUMBERS)[number], number>>;
  newPath?: string;
  bytes: Uint8Array[];
  resolve(answer: DriveAnswer): void;
}

/** Longest path, in characters. The kernel process counts bytes. */
const MAX_PATH_LENGTH = 4096;
/** More requests in a row that nobody waited for cannot come from interrupts: user code posts them. */
const MAX_UNTAKEN = 16;

export class PipedDrive {
  private next = 1;
  /** The request that the kernel process has not answered yet. */
  private sent: { id: number; asked: Asked } | null = null;
  /** The last request that was made, if it waits for the answer to `sent`. */
  private waiting: Asked | null = null;
  private untaken = 0;

  constructor(
    private readonly send: (frame: { type: string; [name: string]: unknown }, bytes: Uint8Array[]) => void,
    /** Size of the largest file, in bytes. */
    private readonly fileBytes: number,
    /** Called when too many requests were made without waiting for answers. */
    private readonly exceeded: (most: number) => void,
  ) {}

  request(request: unknown): Promise<DriveAnswer> {
    return new Promise(resolve => {
      const asked = read(request, resolve);
      const size = asked?.bytes.reduce((sum, part) => sum + part.length, 0) ?? 0;
      if (!asked) {
        resolve(failed('EINVAL', 'the request has no method or path'));
      } else if (asked.path.length > MAX_PATH_LENGTH || (asked.newPath?.length ?? 0) > MAX_PATH_LENGTH) {
        resolve(failed('ENAMETOOLONG', 'the path is too long'));
      } else if (size > this.fileBytes) {
        resolve(failed('EFBIG', `a file has at most ${this.fileBytes} bytes`));
      } else {
        this.drop();
        this.waiting = asked;
        this.proceed();
      }
    });
  }

  /** The kernel process has answered. The answer to `get` has the file's bytes in `buffers`. */
  answer(id: number, answer: DriveAnswer, buffers: Uint8Array[]): void {
    if (this.sent?.id !== id) {
      return;
    }
    const { asked } = this.sent;
    this.sent = null;
    if (!this.waiting) {
      this.untaken = 0;
    }
    asked.resolve(answer.ok && buffers.length ? { ok: true, value: { data: buffers[0] } } : answer);
    this.proceed();
  }

  /** Drops the request that waits, since another one has been made. */
  private drop(): void {
    if (!this.waiting) {
      return;
    }
    this.waiting.resolve(failed('EBUSY', 'another request came before its turn'));
    this.waiting = null;
    if (++this.untaken > MAX_UNTAKEN) {
      this.exceeded(MAX_UNTAKEN);
    }
  }

  private proceed(): void {
    if (this.sent || !this.waiting) {
      return;
    }
    const asked = this.waiting;
    const { method, path, numbers, newPath, bytes } = asked;
    this.waiting = null;
    this.sent = { id: this.next++, asked };
    this.send({ ...numbers, type: 'drive', id: this.sent.id, method, path, newPath }, bytes);
  }
}

function failed(errno: string, message: string): DriveAnswer {
  return { ok: false, errno, message };
}

/** Returns the request, or null if it is not one. Copies only the known fields. */
function read(request: unknown, resolve: (answer: DriveAnswer) => void): Asked | null {
  const { method, path, data } = (request ?? {}) as { method?: unknown; path?: unknown; data?: unknown };
  if (typeof method !== 'string' || method.length > 20 || typeof path !== 'string') {
    return null;
  }
  const fields = (data ?? {}) as Record<string, unknown>;
  const { newPath, data: bytes } = fields;
  return {
    method,
    path,
    numbers: Object.fromEntries(
      NUMBERS.filter(name => typeof fields[name] === 'number').map(name => [name, fields[name]]),
    ),
    newPath: typeof newPath === 'string' ? newPath : undefined,
    bytes: bytes instanceof Uint8Array ? [bytes] : [],
    resolve,
  };
}
