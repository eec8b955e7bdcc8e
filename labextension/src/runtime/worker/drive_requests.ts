/**
 * Requests to the JupyterLite drive: each is one synchronous call to the page. Failures become Emscripten's errors.
 */
import type { DriveAnswer } from '../protocol';
import type { EmscriptenFS, ErrnoCodes, FSNode } from './emscripten';
import { CallInterrupted, type PageCalls } from './page_calls';

export class DriveRequests {
  constructor(
    private readonly FS: EmscriptenFS,
    private readonly errno: ErrnoCodes,
    private readonly calls: Pick<PageCalls, 'call'>,
  ) {}

  /** Path inside the drive, without a leading slash. */
  path(node: FSNode, child?: string): string {
    const parts = child === undefined ? [] : [child];
    for (let current = node; current.parent !== current; current = current.parent) {
      parts.unshift(current.name);
    }
    return parts.join('/');
  }

  /** @throws ErrnoError */
  ask(method: string, path: string, data?: object): unknown {
    let answer: DriveAnswer;
    try {
      answer = this.calls.call({
        kind: 'drive',
        request: data ? { method, path, data } : { method, path },
      }) as DriveAnswer;
    } catch (error) {
      throw this.error(error instanceof CallInterrupted ? 'EINTR' : 'EIO');
    }
    if (!answer.ok) {
      throw this.error(answer.errno);
    }
    return answer.value;
  }

  error(code: string): Error {
    return new this.FS.ErrnoError(this.errno[code] ?? this.errno.EIO);
  }

  is(error: unknown, code: string): boolean {
    return (error as { errno?: number }).errno === this.errno[code];
  }

  /** The name of an error's number, such as ENOENT. */
  reason(error: unknown): string {
    const { errno } = error as { errno?: number };
    return Object.keys(this.errno).find(name => this.errno[name] === errno) ?? String(error);
  }
}
