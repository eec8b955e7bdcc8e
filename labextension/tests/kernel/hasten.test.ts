import { describe, expect, it } from 'vitest';

import { hastenSockets } from '../../src/kernel/hasten';

/** As mock-socket delivers. */
function makeClass(received: string[]) {
  return class {
    constructor(readonly url: string) {}
    send(data: unknown): void {
      if (data === 'closed') {
        throw new Error('the socket is closed');
      }
      setTimeout((text: unknown) => received.push(String(text)), 4, data);
    }
  };
}

describe('hastenSockets', () => {
  it('delivers ours in order and before the timers of others, which stay as they are', async () => {
    const received: string[] = [];
    const Socket = makeClass(received);
    hastenSockets(Socket, url => url.includes('ours'));
    const [ours, other] = [new Socket('ws://x/ours'), new Socket('ws://x/other')];
    other.send('other');
    ours.send('one');
    ours.send('two');
    expect(received).toEqual([]);
    await new Promise(resolve => setTimeout(resolve, 30));
    expect(received).toEqual(['one', 'two', 'other']);
  });

  it('leaves the timers of the page alone, also when sending fails', () => {
    const { setTimeout } = globalThis;
    const Socket = makeClass([]);
    hastenSockets(Socket, () => true);
    expect(() => new Socket('ws://x').send('closed')).toThrow('closed');
    expect(globalThis.setTimeout).toBe(setTimeout);
  });
});
