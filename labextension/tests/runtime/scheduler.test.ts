import { expect, it, vi } from 'vitest';

import { Scheduler } from '../../src/runtime/worker/scheduler';

const turn = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 20));

function made() {
  const order: string[] = [];
  const scheduler = new Scheduler({ onTurn: () => undefined, onError: text => void order.push(text) });
  const later = (name: string, ms?: number): void => scheduler.schedule(() => void order.push(name), ms);
  return { scheduler, order, later };
}

it('runs callbacks in their order', async () => {
  const { order, later } = made();
  later('one');
  later('two', 1);
  later('three');
  await turn();
  expect(order).toEqual(['one', 'two', 'three']);
});

it('runs the callback that sends a reply before those that wait already, and once', async () => {
  const { scheduler, order, later } = made();
  later('one');
  later('two');
  scheduler.putNextFirst();
  later('reply');
  later('three');
  await turn();
  expect(order).toEqual(['reply', 'one', 'two', 'three']);
});

it('lets no timer come before a reply', () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const { scheduler, order, later } = made();
  later('timer', 10);
  scheduler.putNextFirst();
  later('reply');
  vi.advanceTimersByTime(10); // no message has arrived yet
  vi.useRealTimers();
  expect(order).toEqual([]);
  return turn().then(() => expect(order).toEqual(['reply', 'timer']));
});
