import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Control } from '../../src/runtime/protocol';
import type { InterruptController } from '../../src/runtime/worker/control';
import { SNAPSHOT_FIELDS } from '../../src/runtime/worker/interrupt_snapshot';
import { attached, interruptController } from './fake_pyodide';

const SIGINT = 2;
const EPOCH = 5;

/** A controller with the page's side (its words) and Python's side: what Pyodide's helper reads, and the answers of `on_idle`. */
function parts(mode: 'shared-memory' | 'stack-switching' | 'service-worker' | 'none' = 'shared-memory') {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const words = new Int32Array(memory.buffer);
  const stopped: number[] = [];
  const asked = vi.fn((): number | null => null);
  const controller = interruptController({
    control: mode === 'shared-memory' ? memory : null,
    mode,
    askPage: asked,
    onStop: epoch => stopped.push(epoch),
  });
  const helper = attached(controller);
  const poll = (): number => helper.poll() ?? 0;
  const press = (epoch = EPOCH): void => {
    if (mode === 'shared-memory') {
      words[Control.Interrupt] = epoch;
      Atomics.notify(words, Control.Wake);
    } else {
      controller.receive(epoch, {});
    }
  };
  const onIdle = vi.fn((_epoch: number, _fresh: boolean): 'wait' | 'defer' | 'drop' => 'wait');
  controller.onIdle = onIdle;
  return { controller, words, poll, press, onIdle, stopped, asked };
}

/** The snapshot that Python gets. */
function snapshot(controller: InterruptController): Record<string, number> {
  const numbers = controller.snapshot().split(' ').map(Number);
  return Object.fromEntries(SNAPSHOT_FIELDS.map((field, i) => [field, numbers[i]]));
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('code that runs', () => {
  it('is interrupted once by one press', () => {
    const { controller, poll, press, stopped } = parts();
    controller.begin(EPOCH, false);
    expect(poll()).toBe(0);
    press();
    expect(poll()).toBe(SIGINT);
    controller.outcome('raised');
    expect(stopped).toEqual([EPOCH]);
    poll(); // while the handler returns
    expect(poll()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(poll()).toBe(SIGINT); // offered again, to see whether the exception was raised
    expect(controller.outcome('seen')).toBe(false);
    poll();
    expect(poll()).toBe(0);
    controller.turn();
    expect(poll()).toBe(0);
    vi.advanceTimersByTime(1000);
    expect(poll()).toBe(SIGINT); // for a task that blocks the loop, not for the cell
    expect(snapshot(controller).is_watch).toBe(1);
    controller.outcome('ignored');
    poll();
    expect(poll()).toBe(0);
  });

  it.each([EPOCH - 1, EPOCH + 1])('is not interrupted by a press for request %i', other => {
    const { controller, words, poll, press } = parts();
    controller.begin(EPOCH, false);
    press(other);
    expect([poll(), poll()]).toEqual([0, 0]);
    expect(words[Control.Interrupt]).toBe(other < EPOCH ? 0 : other); // the interrupt of a later request waits
  });

  it('is not interrupted by a press that was meant for the request before', () => {
    const { controller, poll, press } = parts();
    controller.begin(EPOCH, false);
    press();
    controller.end(EPOCH);
    controller.begin(EPOCH + 1, false);
    expect([poll(), poll()]).toEqual([0, 0]);
  });

  it('is offered an interrupt again, a millisecond after a bad moment', () => {
    const { controller, poll, press } = parts();
    controller.begin(EPOCH, false);
    press();
    expect(poll()).toBe(SIGINT);
    controller.outcome('deferred');
    poll();
    vi.advanceTimersByTime(2);
    expect(poll()).toBe(SIGINT);
    controller.outcome('deferred');
    poll();
    expect(poll()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(poll()).toBe(SIGINT);
  });

  it('is offered one at every check after the exception was lost', () => {
    const { controller, poll, press } = parts();
    controller.begin(EPOCH, false);
    press();
    poll();
    controller.outcome('raised');
    controller.outcome('lost');
    poll();
    expect([poll()]).toEqual([SIGINT]);
  });

  it('is offered none while the signal handler runs, unless that never says what it did', () => {
    const { controller, poll, press } = parts();
    controller.begin(EPOCH, false);
    press();
    expect(poll()).toBe(SIGINT);
    press();
    expect(poll()).toBe(0);
    vi.advanceTimersByTime(100);
    expect(poll()).toBe(SIGINT);
  });

  it('takes a second press within 200 ms for the same wish, and later', () => {
    const { controller, poll, press, onIdle } = parts();
    controller.begin(EPOCH, false);
    press();
    poll();
    controller.outcome('thrown');
    press();
    poll();
    expect(poll()).toBe(0);
    controller.turn();
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(199);
    expect(poll()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(onIdle).toHaveBeenCalledWith(EPOCH, true); // the worker has waited for it
  });

  it('is interrupted until it ends where it is another request than execute', () => {
    const { controller, poll, press } = parts();
    controller.begin(EPOCH, true);
    press();
    expect(poll()).toBe(SIGINT);
    controller.outcome('raised');
    poll();
    expect(snapshot(controller).is_storm).toBe(1);
    expect([poll()]).toEqual([SIGINT]);
    controller.end(EPOCH);
    expect(snapshot(controller).is_storm).toBe(0);
  });
});

describe('code that is interrupted until it ends', () => {
  it("has half a millisecond where it is none of the user's, or it would hardly go on", () => {
    const { controller, words, poll, press } = parts();
    controller.begin(EPOCH, false);
    words[Control.Storm] = EPOCH;
    press();
    expect(poll()).toBe(SIGINT);
    controller.outcome('deferred');
    expect([poll(), poll(), poll(), poll()]).toEqual([0, 0, 0, 0]);
    vi.advanceTimersByTime(1);
    expect(poll()).toBe(SIGINT);
    controller.outcome('raised');
    expect([poll(), poll()]).toEqual([0, SIGINT]);
  });
});

describe('code that awaits', () => {
  it('is cancelled at the next turn of the event loop, once', () => {
    const { controller, press, onIdle } = parts();
    controller.begin(EPOCH, false);
    press();
    controller.turn();
    controller.turn();
    expect(onIdle.mock.calls).toEqual([
      [EPOCH, true],
      [EPOCH, false], // asked whether there is anything left to stop
    ]);
    controller.outcome('thrown');
    controller.turn();
    expect(onIdle).toHaveBeenCalledTimes(2);
  });

  it('is asked again where there is nothing to cancel yet', () => {
    const { controller, press, onIdle } = parts('stack-switching');
    onIdle.mockReturnValueOnce('defer');
    controller.begin(EPOCH, false);
    press();
    expect(onIdle).toHaveBeenCalledTimes(1);
    controller.turn();
    expect(onIdle).toHaveBeenCalledTimes(2);
  });

  it('keeps nothing in hand once Python has nothing to stop', () => {
    const { controller, poll, press, onIdle } = parts();
    onIdle.mockReturnValueOnce('drop');
    controller.begin(EPOCH, false);
    press();
    controller.turn();
    vi.advanceTimersByTime(5);
    expect(poll()).toBe(0);
    expect(controller.take()).toBe(false);
  });
});

describe('code that blocks', () => {
  it('ends its wait for a press that has come', () => {
    const { controller, press } = parts();
    controller.begin(EPOCH, false);
    press();
    expect(controller.wait.until(1000, () => false)).toBe('interrupted');
    expect(controller.take()).toBe(true);
  });

  it('ends it when what it waits for is there, interrupted or not', () => {
    const { controller, press } = parts();
    controller.begin(EPOCH, false);
    press();
    expect(controller.wait.until(1000, () => true)).toBe('ready');
  });

  it('ends it when the time is over', () => {
    const { controller } = parts();
    controller.begin(EPOCH, false);
    expect(controller.wait.until(0, () => false)).toBe('timeout');
    expect(controller.wait.firmly(0, () => false)).toBe(false);
  });

  it('asks the page through the service worker', () => {
    const { controller, asked } = parts('service-worker');
    controller.begin(EPOCH, false);
    asked.mockReturnValueOnce(250);
    controller.pollPage();
    expect(controller.take()).toBe(true);
    expect(snapshot(controller).limit_ms).toBe(250);
  });
});

describe('while nothing runs', () => {
  it('what blocks the worker is offered the interrupt of an idle worker', () => {
    const { controller, words, poll, press } = parts();
    vi.advanceTimersByTime(10);
    press(-1);
    expect(poll()).toBe(SIGINT);
    expect(snapshot(controller).is_for_idle).toBe(1);
    controller.outcome('stopped-task');
    expect(words[Control.Interrupt]).toBe(0);
  });

  it('it is forgotten when the event loop turns', () => {
    const { controller, press } = parts();
    press(-1);
    controller.turn();
    expect(snapshot(controller).is_for_idle).toBe(0);
  });

  it('tasks that an interrupted cell has left are watched, for some seconds also while the next request runs', () => {
    const { controller, words, press, poll } = parts();
    controller.begin(EPOCH, false);
    press();
    poll();
    controller.outcome('thrown');
    expect(controller.end(EPOCH)).toBe(true);
    controller.begin(EPOCH + 1, false);
    poll(); // while the handler returns
    expect([words[Control.Interrupt], words[Control.Wanted]]).toEqual([0, 0]); // so it costs nothing
    vi.advanceTimersByTime(501);
    expect(poll()).toBe(SIGINT);
    controller.outcome('ignored');
    poll();
    controller.noteTurn();
    vi.advanceTimersByTime(499);
    expect(poll()).toBe(0);
    vi.advanceTimersByTime(4001);
    expect(poll()).toBe(0);
    expect(controller.end(EPOCH + 1)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(poll()).toBe(SIGINT); // tasks of the cell may still run
  });

  it('tasks that an interrupted cell has left are offered one when they block the loop', () => {
    const { controller, poll, press } = parts();
    controller.begin(EPOCH, false);
    press();
    poll();
    controller.outcome('thrown');
    controller.end(EPOCH);
    poll();
    expect(poll()).toBe(0);
    vi.advanceTimersByTime(501);
    expect(poll()).toBe(SIGINT);
  });
});
