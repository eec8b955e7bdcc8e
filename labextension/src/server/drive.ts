/**
 * The drive of a kernel on a server: every request goes to the Python process, which alone touches files.
 */
import type { DriveAnswer } from '../runtime/protocol';

interface Request {
  method: string;
  path: string;
  data?: { mode?: number; newPath?: string; data?: Uint8Array };
}

export class ParentDrive {
  private next = 1;
  private readonly open = new Map<number, (answer: DriveAnswer) => void>();

  constructor(private readonly send: (frame: { type: string; [name: string]: unknown }, bytes: Uint8Array[]) => void) {}

  request(request: unknown): Promise<DriveAnswer> {
    const { method, path, data } = request as Request;
    const id = this.next++;
    return new Promise(resolve => {
      this.open.set(id, resolve);
      const { data: bytes, ...rest } = data ?? {};
      this.send({ type: 'drive', id, method, path, ...rest }, bytes ? [bytes] : []);
    });
  }

  /** The Python process has answered; `get` comes with the file's bytes. */
  answer(id: number, answer: DriveAnswer, buffers: Uint8Array[]): void {
    const resolve = this.open.get(id);
    this.open.delete(id);
    resolve?.(answer.ok && buffers.length ? { ok: true, value: { data: buffers[0] } } : answer);
  }
}
