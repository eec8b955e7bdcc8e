/**
 * The drive of a kernel on a server: every request goes to the Python process, which alone touches files.
 *
 * The worker waits for the answer to each of its requests, so there is one at a time; a second one comes only after an
 * interrupt has ended that wait. User code can post requests as well, any number of them and of any shape.
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

/** Characters of the longest path; Python counts in bytes. */
const MAX_PATH_LENGTH = 4096;
/** Requests in a row that were not waited for, from which on they are nobody's mistake. */
const MAX_UNTAKEN = 16;

export class PipedDrive {
  private next = 1;
  /** The request whose answer Python owes, and the one that follows: the last that was made. */
  private sent: { id: number; asked: Asked } | null = null;
  private waiting: Asked | null = null;
  private untaken = 0;

  constructor(
    private readonly send: (frame: { type: string; [name: string]: unknown }, bytes: Uint8Array[]) => void,
    /** Bytes of the longest file. */
    private readonly fileBytes: number,
    /** Too many requests were made at once. */
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

  /** The Python process has answered; `get` comes with the file's bytes. */
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

  /** Gives up the request that waits: whoever made it has made another one since. */
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

/** The request, if it is one; of its fields nothing else goes on. */
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
