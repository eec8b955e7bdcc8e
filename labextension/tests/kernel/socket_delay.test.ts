import { describe, expect, it } from 'vitest';

import { removeSocketDelay } from '../../src/kernel/socket_delay';

/** Delivers messages as mock-socket does. */
function makeClass(received: string[]) {
  return class extends EventTarget {
    constructor(readonly url: string) {
      super();
    }
    send(data: unknown): void {
      if (data === 'closed') {
        throw new Error('the socket is closed');
      }
      setTimeout((text: unknown) => received.push(String(text)), 4, data);
    }
    answer(): void {
      this.dispatchEvent(new Event('message'));
    }
  };
}

const arrived = (): Promise<unknown> => new Promise(resolve => setTimeout(resolve, 30));

describe('removeSocketDelay', () => {
  it('delivers ours in order and before the timers of others, once the kernel has answered', async () => {
    const received: string[] = [];
    const Socket = makeClass(received);
    removeSocketDelay(Socket, url => url.includes('ours'));
    const [ours, other] = [new Socket('ws://x/ours'), new Socket('ws://x/other')];
    other.send('other 1');
    ours.send('first');
    await arrived();
    expect(received).toEqual(['other 1', 'first']);
    ours.answer();
    other.send('other 2');
    ours.send('one');
    ours.send('two');
    expect(received).toEqual(['other 1', 'first']);
    await arrived();
    expect(received).toEqual(['other 1', 'first', 'one', 'two', 'other 2']);
  });

  it('lets no message overtake one that went before the answer', async () => {
    const received: string[] = [];
    const Socket = makeClass(received);
    removeSocketDelay(Socket, () => true);
    const socket = new Socket('ws://x');
    socket.send('before');
    socket.answer();
    socket.send('after');
    await arrived();
    expect(received).toEqual(['before', 'after']);
  });

  it('leaves the timers of the page alone, also when sending fails', () => {
    const { setTimeout } = globalThis;
    const Socket = makeClass([]);
    removeSocketDelay(Socket, () => true);
    expect(() => new Socket('ws://x').send('closed')).toThrow('closed');
    expect(globalThis.setTimeout).toBe(setTimeout);
  });
});
