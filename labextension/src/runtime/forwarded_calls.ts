/**
 * Answers the synchronous requests of a worker that shares no memory with the page: the site's service worker forwards
 * them to a broadcast channel, as it does for JupyterLite's own kernels.
 */
import { toBase64 } from './base64';
import { ANSWER_BYTES, type DriveAnswer } from './protocol';

/** The channel on which JupyterLite's service worker forwards synchronous requests. */
const SERVICE_WORKER_CHANNEL = '/sw-api.v1';

/** What a worker may ask the page. */
export interface AskedPage {
  drive(request: unknown): Promise<DriveAnswer>;
  /** Whether `epoch` is to be interrupted: null if not, else the time limit in ms that has passed, 0 if none has. */
  interruptOf(epoch: unknown): number | null;
  /** Bytes of output that the page has taken, modulo 2^32. */
  taken(): number;
}

interface Forwarded {
  browsingContextId?: string;
  requestId?: string;
  data?: { kind?: unknown; epoch?: unknown; request?: unknown };
}

export class ForwardedCalls {
  /** Where the worker posts its requests, and the id that it gives itself in them. */
  readonly channel: { url: string; id: string };
  private readonly broadcast = new BroadcastChannel(SERVICE_WORKER_CHANNEL);
  private isOpen = true;
  /** Bytes that came before the request that names them, by that request's id. */
  private readonly uploaded = new Map<string, Uint8Array>();
  /** Requests that wait for the bytes they name. */
  private readonly waiting = new Map<string, (data: Uint8Array) => void>();
  /** Address of the last answer's bytes, if they were too many for the answer itself; else ''. */
  private download = '';
  /** Lines of input that the worker has not asked for yet. */
  private readonly lines: string[] = [];

  /** @param baseURL - root of the site. */
  constructor(
    baseURL: string,
    private readonly page: AskedPage,
  ) {
    this.channel = { id: `browsergrad-${crypto.randomUUID()}`, url: new URL('api/drive', baseURL).href };
    this.broadcast.addEventListener('message', event => void this.receive(event.data as Forwarded));
  }

  /** Takes a line of input for code that waits for one. */
  input(value: string): void {
    this.lines.push(value);
  }

  /** Takes bytes that a request names. The request may come before or after them. */
  upload(id: string, data: Uint8Array): void {
    this.waiting.get(id)?.(data);
    if (!this.waiting.delete(id)) {
      this.uploaded.set(id, data);
    }
  }

  /** Stops answering. */
  close(): void {
    this.isOpen = false;
    this.broadcast.close();
    this.withdraw();
  }

  private async receive({ browsingContextId, requestId, data }: Forwarded): Promise<void> {
    if (browsingContextId !== this.channel.id || !data) {
      return;
    }
    this.withdraw();
    const response = await this.answer(data);
    if (this.isOpen) {
      this.broadcast.postMessage({ response: this.forTransport(response), browsingContextId, requestId });
    }
  }

  private answer({ kind, epoch, request }: NonNullable<Forwarded['data']>): unknown {
    switch (kind) {
      case 'interrupt?':
        return this.page.interruptOf(epoch);
      case 'input?':
        return this.lines.shift() ?? null;
      case 'taken?':
        return this.page.taken();
      default:
        return this.withUpload(request).then(whole => this.page.drive(whole));
    }
  }

  /** Makes the answer fit into JSON: few bytes in base64, many under an address that works until the next call. */
  private forTransport(response: unknown): unknown {
    const value = (response as { value?: { data?: unknown } } | null)?.value;
    const bytes = value?.data;
    if (!(bytes instanceof Uint8Array)) {
      return response;
    }
    let data: object;
    if (bytes.length > ANSWER_BYTES) {
      this.download = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
      data = { $download: this.download };
    } else {
      data = { $bytes: toBase64(bytes) };
    }
    return { ...(response as object), value: { ...value, data } };
  }

  private withdraw(): void {
    if (this.download) {
      URL.revokeObjectURL(this.download);
      this.download = '';
    }
  }

  /** Returns the request with the bytes that it names. */
  private async withUpload(request: unknown): Promise<unknown> {
    const data = (request as { data?: { data?: { $upload?: string } } } | undefined)?.data;
    const id = data?.data?.$upload;
    if (id === undefined) {
      return request;
    }
    let bytes = this.uploaded.get(id);
    this.uploaded.delete(id);
    bytes ??= await new Promise<Uint8Array>(resolve => this.waiting.set(id, resolve));
    return { ...(request as object), data: { ...data, data: bytes } };
  }
}
