/** Frames leave a pipe as they entered it, however the pipe cuts them. */
import { describe, expect, it } from 'vitest';

import { encodeFrame, readFrames, type Received } from '../../src/server/frames';

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
  }
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Received[]> {
  const received: Received[] = [];
  for await (const one of readFrames(source)) {
    received.push(one);
  }
  return received;
}

const FRAMES: [object, number[][]][] = [
  [{ type: 'a' }, []],
  [{ type: 'b', text: 'é€😀', deep: { list: [1, null] } }, [[1, 2, 3], [], [4]]],
  [{ type: 'c' }, [Array.from({ length: 1000 }, (_, i) => i % 256)]],
];

function encoded(): Uint8Array {
  const parts = FRAMES.map(([frame, buffers]) =>
    encodeFrame(
      frame as { type: string },
      buffers.map(buffer => Uint8Array.from(buffer)),
    ),
  );
  return new Uint8Array(Buffer.concat(parts));
}

describe('frames', () => {
  it.each([1, 2, 7, 8, 9, 64, 100_000])('are read from pieces of %i bytes', async size => {
    const received = await all(inPieces(encoded(), size));
    expect(received.map(({ frame, buffers }) => [frame, buffers.map(buffer => [...buffer])])).toEqual(
      FRAMES.map(([frame, buffers]) => [{ ...frame, buffers: buffers.map(({ length }) => length) }, buffers]),
    );
  });

  it('that are cut off are not handed on', async () => {
    const bytes = encoded();
    expect(await all(inPieces(bytes.subarray(0, bytes.length - 1), 50))).toHaveLength(2);
    expect(await all(inPieces(new Uint8Array(0), 1))).toEqual([]);
  });

  it('have buffers of their own', async () => {
    const [, { buffers }] = await all(inPieces(encoded(), 100_000));
    expect(buffers.map(({ byteOffset, buffer, length }) => [byteOffset, buffer.byteLength === length])).toEqual([
      [0, true],
      [0, true],
      [0, true],
    ]);
  });
});
