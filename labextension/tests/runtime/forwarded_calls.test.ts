/** Calls that a worker makes through the site's service worker are answered by its own page only. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ForwardedCalls } from '../../src/runtime/forwarded_calls';
import { ANSWER_BYTES, type DriveAnswer } from '../../src/runtime/protocol';

type Answer = { response: unknown; browsingContextId: string; requestId: string };

/** A BroadcastChannel within the test, which delivers at once. */
class Channel extends EventTarget {
  static readonly open = new Set<Channel>();
  constructor(readonly name: string) {
    super();
    Channel.open.add(this);
  }
  postMessage(data: unknown): void {
    const copy = structuredClone(data);
    for (const other of Channel.open) {
      if (other !== this && other.name === this.name) {
        other.dispatchEvent(Object.assign(new Event('message'), { data: copy }));
      }
    }
  }
  close(): void {
    Channel.open.delete(this);
  }
}

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve));

describe('forwarded calls', () => {
  let serviceWorker: Channel;
  let answers: Answer[];
  const drive = vi.fn(async (_request: unknown): Promise<DriveAnswer> => ({ ok: true, value: 'v' }));
  const page = { drive, interruptOf: (epoch: unknown) => (epoch === 3 ? 2000 : null), taken: () => 77 };

  beforeEach(() => {
    vi.stubGlobal('BroadcastChannel', Channel);
    drive.mockClear();
    answers = [];
    serviceWorker = new Channel('/sw-api.v1');
    serviceWorker.addEventListener('message', event => answers.push((event as MessageEvent).data));
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    Channel.open.clear();
  });

  async function ask(
    calls: ForwardedCalls,
    data: object | undefined,
    id = calls.channel.id,
  ): Promise<Answer | undefined> {
    serviceWorker.postMessage({ browsingContextId: id, requestId: 'r1', data });
    await settled();
    return answers.at(-1);
  }

  it('go to the site’s own address', () => {
    const calls = new ForwardedCalls('https://school.example/lite/', page);
    expect(calls.channel.url).toBe('https://school.example/lite/api/drive');
    expect(calls.channel.id).toMatch(/^browsergrad-[0-9a-f-]{36}$/);
  });

  it.each([
    [{ kind: 'interrupt?', epoch: 3 }, 2000],
    [{ kind: 'interrupt?', epoch: 4 }, null],
    [{ kind: 'taken?' }, 77],
    [{ kind: 'input?' }, null],
    [
      { kind: 'drive', request: { method: 'get', path: 'a' } },
      { ok: true, value: 'v' },
    ],
  ])('are answered: %j', async (data, response) => {
    const calls = new ForwardedCalls('https://a.example/', page);
    expect(await ask(calls, data)).toEqual({ response, browsingContextId: calls.channel.id, requestId: 'r1' });
  });

  it('of other pages and kernels are left alone', async () => {
    const calls = new ForwardedCalls('https://a.example/', page);
    expect(await ask(calls, { kind: 'taken?' }, 'another')).toBeUndefined();
    expect(await ask(calls, undefined)).toBeUndefined();
  });

  it('get the lines in the order they were typed, each once', async () => {
    const calls = new ForwardedCalls('https://a.example/', page);
    calls.input('one');
    calls.input('two');
    const lines = [];
    for (let i = 0; i < 3; i++) {
      lines.push((await ask(calls, { kind: 'input?' }))!.response);
    }
    expect(lines).toEqual(['one', 'two', null]);
  });

  it.each(['before', 'after'])('wait for the bytes they name, which come %s', async when => {
    const calls = new ForwardedCalls('https://a.example/', page);
    const request = { method: 'put', path: 'a', data: { mode: 1, data: { $upload: 'u' } } };
    const bytes = new Uint8Array([1, 2]);
    if (when === 'before') {
      calls.upload('u', bytes);
    }
    await ask(calls, { kind: 'drive', request });
    expect(drive).toHaveBeenCalledTimes(when === 'before' ? 1 : 0);
    if (when === 'after') {
      calls.upload('u', bytes);
      await settled();
    }
    expect(drive).toHaveBeenCalledWith({ method: 'put', path: 'a', data: { mode: 1, data: bytes } });
  });

  it('get few bytes as base64', async () => {
    drive.mockResolvedValueOnce({ ok: true, value: { data: new Uint8Array([1, 2, 3]), format: 'x' } });
    const calls = new ForwardedCalls('https://a.example/', page);
    expect((await ask(calls, { kind: 'drive' }))!.response).toEqual({
      ok: true,
      value: { data: { $bytes: 'AQID' }, format: 'x' },
    });
  });

  it('get many bytes at an address, until the next call', async () => {
    const bytes = new Uint8Array(ANSWER_BYTES + 1).fill(9);
    drive.mockResolvedValueOnce({ ok: true, value: { data: bytes } });
    const calls = new ForwardedCalls('https://a.example/', page);
    const { response } = (await ask(calls, { kind: 'drive' }))!;
    const { $download: url } = (response as { value: { data: { $download: string } } }).value.data;
    expect(new Uint8Array(await (await fetch(url)).arrayBuffer())).toEqual(bytes);
    await ask(calls, { kind: 'taken?' });
    await expect(fetch(url)).rejects.toThrow();
  });

  it('get no answer once the worker has ended', async () => {
    const calls = new ForwardedCalls('https://a.example/', page);
    let finish!: (answer: DriveAnswer) => void;
    drive.mockReturnValueOnce(new Promise(resolve => (finish = resolve)));
    await ask(calls, { kind: 'drive' });
    calls.close();
    finish({ ok: true, value: 1 });
    await settled();
    expect(answers).toEqual([]);
    expect(Channel.open.size).toBe(1);
  });
});
