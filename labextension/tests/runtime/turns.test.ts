import { describe, expect, it } from 'vitest';

import { Turns } from '../../src/runtime/worker/turns';

describe('turns of the event loop', () => {
  it('settle for each call that waits, though another has asked meanwhile', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const first = turns.begin(0).then(() => order.push('first'));
    const second = turns.begin(0).then(() => order.push('second'));
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
  });

  it('are open until the last call has gone on', async () => {
    const turns = new Turns();
    await Promise.all([turns.begin(0), turns.begin(0)]);
    expect(turns.any).toBe(true);
    expect(turns.end()).toBe(false);
    expect(turns.end()).toBe(true);
    expect(turns.any).toBe(false);
  });

  it('end early when what they may wait for has come', async () => {
    const turns = new Turns();
    const both = Promise.all([turns.begin(2 ** 30), turns.begin(2 ** 30)]);
    turns.hasten();
    await both;
    expect(turns.any).toBe(true);
  });
});
