/** Synchronous calls of the worker to the page, over shared memory and over a service worker. */
import { afterEach, describe, expect, it, vi } from 'vitest';

import { Control, REPLY_BYTES } from '../../src/runtime/protocol';
import { CallInterrupted } from '../../src/runtime/worker/page_calls';
import { PagePair } from './page_pair';

const call = { kind: 'drive', request: { method: 'get', path: 'a' } } as const;

describe('a call over shared memory', () => {
  it('returns the answer, bytes as bytes', () => {
    const { answers, calls } = new PagePair();
    const answer = { ok: true, value: { data: new Uint8Array([1, 2, 3]) } };
    answers.push(answer, { ok: false, errno: 'ENOENT', message: 'gone' });
    expect(calls.call(call)).toEqual(answer);
    expect(calls.call(call)).toEqual({ ok: false, errno: 'ENOENT', message: 'gone' });
  });

  it('fetches an answer that is longer than the reply area', () => {
    const { answers, calls, posted } = new PagePair();
    const data = new Uint8Array(REPLY_BYTES + 1).fill(7);
    answers.push({ ok: true, value: { data } });
    const { value } = calls.call(call) as { value: { data: Uint8Array } };
    expect(value.data.length).toBe(data.length);
    expect(value.data.every(byte => byte === 7)).toBe(true);
    expect(posted.map(({ type }) => type)).toEqual(['call', 'call-large']);
  });

  it('ends with an error when an interrupt ends the wait', () => {
    const { calls } = new PagePair();
    expect(() => calls.call(call)).toThrow(CallInterrupted);
  });

  it('does not take a late answer to an earlier call for its own', () => {
    const { answers, shared, calls, page, posted } = new PagePair();
    expect(() => calls.call(call)).toThrow(CallInterrupted);
    const { id } = posted[0] as { id: number };
    page.push(() => shared.answer(id, 'late'));
    answers.push('own');
    expect(calls.call(call)).toBe('own');
  });

  it('drops a long answer that nobody fetched', () => {
    const { answers, shared, calls, posted } = new PagePair();
    const long = { data: new Uint8Array(REPLY_BYTES + 1) };
    expect(() => calls.call(call)).toThrow(CallInterrupted);
    const { id } = posted[0] as { id: number };
    shared.answer(id, long);
    answers.push(long);
    calls.call(call);
    const before = new Uint8Array(new SharedArrayBuffer(REPLY_BYTES + 100));
    shared.handOver(id, before.buffer as SharedArrayBuffer);
    expect(before.every(byte => byte === 0)).toBe(true);
  });
});

describe('a line of input over shared memory', () => {
  it.each(['', 'Ä €', 'x'.repeat(REPLY_BYTES + 5)])('comes whole: %#', line => {
    const { shared, calls, page } = new PagePair();
    calls.clearInput();
    page.push(() => shared.input(line));
    expect(calls.waitInput()).toBe(line);
  });

  it('that came for an earlier question is forgotten', () => {
    const { shared, calls, page } = new PagePair();
    shared.input('old');
    calls.clearInput();
    page.push(() => shared.input('new'));
    expect(calls.waitInput()).toBe('new');
  });

  it('is undefined when an interrupt came first', () => expect(new PagePair().calls.waitInput()).toBeUndefined());
});

describe('a line of input for a Python that is suspended', () => {
  it('settles the question that waits, once', async () => {
    const { calls } = new PagePair();
    calls.deliverInput('too early');
    const line = calls.nextInput();
    calls.deliverInput('first');
    calls.deliverInput('second');
    expect(await line).toBe('first');
  });
});

describe('room for output', () => {
  it('is there at once, or when the page has taken some', () => {
    const { shared, calls, control, page } = new PagePair();
    expect(calls.waitForRoom(() => true)).toBe('');
    page.push(() => shared.setTaken(5));
    expect(calls.waitForRoom(() => Atomics.load(control, Control.OutputTaken) === 5)).toBe('');
  });

  it('is waited for until an interrupt comes', () => {
    expect(new PagePair().calls.waitForRoom(() => false)).toBe('interrupt');
  });

  it('needs a turn of the event loop where nothing else can tell', () => {
    const { calls } = new PagePair('stack-switching', { url: 'https://a.example/api/drive', id: 'w' });
    expect(calls.waitForRoom(() => false)).toBe('turn');
  });
});

describe('calls through the service worker', () => {
  const channel = { url: 'https://a.example/api/drive', id: 'worker' };
  const sent: { data: Record<string, unknown>; browsingContextId: string; requestId: string }[] = [];

  afterEach(() => {
    vi.unstubAllGlobals();
    sent.length = 0;
  });

  /** Answers each request with the next of these. A number is a status that means an error. */
  function serve(...answers: unknown[]): void {
    class Request {
      status = 200;
      responseText = '';
      open(method: string, url: string, isAsync: boolean): void {
        expect([method, url, isAsync]).toEqual(['POST', channel.url, false]);
      }
      send(body: string): void {
        sent.push(JSON.parse(body));
        const answer = answers.length > 1 ? answers.shift() : answers[0];
        if (typeof answer === 'object' && answer !== null && 'status' in answer) {
          this.status = answer.status as number;
        } else {
          this.responseText = JSON.stringify(answer);
        }
      }
    }
    vi.stubGlobal('XMLHttpRequest', Request);
  }

  it('return the answer, and bytes that come as base64', () => {
    serve({ ok: true, value: { data: { $bytes: 'AQID' } } });
    const { calls } = new PagePair('service-worker', channel);
    expect(calls.call(call)).toEqual({ ok: true, value: { data: new Uint8Array([1, 2, 3]) } });
    expect(sent[0]).toMatchObject({ data: call, browsingContextId: 'worker' });
  });

  it('send bytes ahead and only name them', () => {
    serve({ ok: true, value: null });
    const { calls, posted } = new PagePair('service-worker', channel);
    const data = new Uint8Array([4, 5]);
    calls.call({ kind: 'drive', request: { method: 'put', path: 'a', data: { data } } });
    const { requestId } = sent[0];
    expect(posted).toEqual([{ type: 'upload', id: requestId, data }]);
    expect(sent[0].data).toEqual({
      kind: 'drive',
      request: { method: 'put', path: 'a', data: { data: { $upload: requestId } } },
    });
  });

  it('have numbers of their own', () => {
    serve(null);
    const { calls } = new PagePair('service-worker', channel);
    calls.call(call);
    calls.call(call);
    expect(new Set(sent.map(({ requestId }) => requestId)).size).toBe(2);
  });

  it('say which address refused them', () => {
    serve({ status: 503 });
    const { calls } = new PagePair('service-worker', channel);
    expect(() => calls.call(call)).toThrow(`the service worker answered 503 for ${channel.url}`);
  });

  it.each([
    [0, 0],
    [2000, 2000],
    [null, null],
    [{ status: 500 }, null],
  ])('ask whether to interrupt: %j', (answer, expected) => {
    serve(answer);
    expect(new PagePair('service-worker', channel).calls.askInterrupt(3)).toBe(expected);
    expect(sent[0].data).toEqual({ kind: 'interrupt?', epoch: 3 });
  });

  it('ask for a line until there is one', () => {
    serve(null, null, 'line');
    expect(new PagePair('service-worker', channel).calls.waitInput()).toBe('line');
    expect(sent).toHaveLength(3);
  });

  it('ask for room until there is some', () => {
    serve(1, 2, 3);
    const { calls, control } = new PagePair('service-worker', channel);
    expect(calls.waitForRoom(() => Atomics.load(control, Control.OutputTaken) === 3)).toBe('');
  });

  it('cannot be made where there is neither memory nor a service worker', () => {
    const { calls } = new PagePair('none', channel);
    Object.assign(calls, { channel: null });
    expect(calls.available).toBe(false);
    expect(() => calls.call(call)).toThrow('this page can answer no synchronous call');
    expect(calls.askInterrupt(1)).toBeNull();
  });
});
