import { afterEach, describe, expect, it, vi } from 'vitest';

import { collectGarbage, free, freeChunk, freeingStream, gather } from '../../src/runtime/bytes';

// Node before 21 lacks it.
const buffers = ArrayBuffer.prototype as { transfer?(length: number): ArrayBuffer };
buffers.transfer ??= function (this: ArrayBuffer) {
  return structuredClone(this, { transfer: [this] });
};

describe('gather', () => {
  it('returns all bytes of a stream and frees its chunks', async () => {
    const chunks = [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)];
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        chunks.forEach(chunk => controller.enqueue(chunk));
        controller.close();
      },
    });
    expect(new Uint8Array(await gather(stream))).toEqual(Uint8Array.of(1, 2, 3));
    expect(chunks.map(chunk => chunk.byteLength)).toEqual([0, 0, 0]);
  });

  it('fails as the stream does', async () => {
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: controller => controller.error(new Error('cut off')),
    });
    await expect(gather(stream)).rejects.toThrow('cut off');
  });
});

describe('free', () => {
  it('takes a buffer that was posted', () => {
    const { buffer } = Uint8Array.of(1);
    structuredClone(buffer, { transfer: [buffer] });
    free(buffer);
    free(buffer);
    expect(buffer.byteLength).toBe(0);
  });
});

describe('freeChunk', () => {
  it('frees a chunk, and leaves a part of a larger buffer alone', () => {
    const whole = Uint8Array.of(1, 2);
    const part = Uint8Array.of(1, 2).subarray(1);
    freeChunk(whole);
    freeChunk(part);
    expect([whole.length, part.length]).toEqual([0, 1]);
  });
});

describe('freeingStream', () => {
  const source = (chunks: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> =>
    new ReadableStream({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk) {
          controller.enqueue(chunk);
        } else {
          controller.close();
        }
      },
    });

  it('frees each chunk when the next one is asked for', async () => {
    const chunks = [Uint8Array.of(1, 2), Uint8Array.of(3)];
    const reader = freeingStream(source([...chunks])).getReader();
    expect((await reader.read()).value).toEqual(Uint8Array.of(1, 2));
    expect(chunks[0]).toHaveLength(2); // the reader may be copying it
    expect((await reader.read()).value).toEqual(Uint8Array.of(3));
    expect(chunks.map(({ length }) => length)).toEqual([0, 1]);
    expect((await reader.read()).done).toBe(true);
    expect(chunks.map(({ length }) => length)).toEqual([0, 0]);
  });

  it('gives a response all bytes', async () => {
    const bytes: number[] = [];
    const answer = new Response(freeingStream(source([Uint8Array.of(1, 2), Uint8Array.of(3)])));
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      bytes.push(...chunk);
    }
    expect(bytes).toEqual([1, 2, 3]);
  });

  it('fails as its source does, and ends its source', async () => {
    const failing = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: controller => controller.error(new Error('cut off')),
    });
    await expect(freeingStream(failing).getReader().read()).rejects.toThrow('cut off');
    const cancel = vi.fn();
    await freeingStream(new ReadableStream({ cancel })).cancel('enough');
    expect(cancel).toHaveBeenCalledWith('enough');
  });
});

describe('collectGarbage', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('makes a large buffer, and frees it at once', () => {
    const made: ArrayBuffer[] = [];
    const sizes: number[] = [];
    class Noted extends ArrayBuffer {
      constructor(size: number) {
        super(size);
        made.push(this);
        sizes.push(size);
      }
    }
    vi.stubGlobal('ArrayBuffer', Noted);
    collectGarbage();
    expect(sizes).toEqual([128 << 20]);
    expect(made[0].byteLength).toBe(0);
  });

  it('does nothing where there is no room', () => {
    vi.stubGlobal(
      'ArrayBuffer',
      class {
        constructor() {
          throw new RangeError('Array buffer allocation failed');
        }
      },
    );
    expect(collectGarbage).not.toThrow();
  });
});
