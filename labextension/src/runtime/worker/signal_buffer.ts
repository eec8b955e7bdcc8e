/**
 * What Pyodide polls.
 *
 * Pyodide's helper reads the interrupt buffer and then writes 0, in two steps: with a plain typed
 * array an interrupt between them is lost, and a stale one hits the next cell. So the buffer is an
 * object: reading only looks, writing consumes by compareExchange exactly what was seen.
 */
import { Control, type InterruptMode } from '../protocol';
import { LOOK_MS } from './blocking_wait';
import { type ControlBlock, Want } from './control_block';
import type { InterruptState } from './interrupt_state';
import type { PollingClock } from './polling_clock';

const SIGINT = 2;
const SIGALRM = 14;
/** `seen` values that consume nothing from the control block. */
const SEEN_AGAIN = -2;
const SEEN_ALARM = -9;
/** Where Pyodide's module keeps the interrupt buffer. */
const PROPERTY = 'Py_EmscriptenSignalBuffer';
/** Ms after which Python's signal handler counts as gone that has not said what it did. */
const HANDLER_MS = 100;
/** Ms between two offers of an interrupt that came at a bad moment, and of one that is to be verified. */
const OFFER_AGAIN_MS = 1;
const VERIFY_AGAIN_MS = 0.1;
/** Ms without a turn of the event loop after which a task blocks it. */
const STUCK_MS = 500;

const now = (): number => performance.now();

export interface SignalBufferOptions {
  mode: InterruptMode;
  /** Asks the page, synchronously, whether the running epoch is to be interrupted: its limit in ms, 0 or null. */
  askPage: (epoch: number) => number | null;
  /** Called from inside Python at most every few dozen ms, to send what has been written. */
  flushDueOutput: (time: number) => void;
}

export class SignalBuffer {
  /** Whether Pyodide reads the buffer, to write it next. */
  private isLooking = false;
  /** What it has read. */
  private seen = 0;
  /** When messages were looked for last, ms. */
  private lastAsk = 0;

  constructor(
    private readonly block: ControlBlock,
    private readonly state: InterruptState,
    private readonly clock: () => PollingClock,
    private readonly options: SignalBufferOptions,
  ) {}

  /**
   * Makes Pyodide poll. C code polls too, `str` for each value: for it the module's property is empty while nothing is
   * wanted, so that Pyodide neither reads nor writes.
   */
  attach(pyodide: { _module: object; setInterruptBuffer(buffer: object): void }): void {
    pyodide.setInterruptBuffer(this.buffer);
    const { _module: module } = pyodide;
    Object.defineProperty(module, PROPERTY, {
      configurable: true,
      enumerable: true,
      get: () => (this.mayPass() ? null : this.buffer),
      // Somebody else's buffer takes the place of ours.
      set: (value: unknown) =>
        Object.defineProperty(module, PROPERTY, { configurable: true, enumerable: true, writable: true, value }),
    });
  }

  private readonly buffer = ((signals: SignalBuffer) => ({
    get 0(): number {
      return signals.look();
    },
    set 0(_value: number) {
      signals.consume();
    },
  }))(this);

  /**
   * Whether Pyodide may go on, since nothing is wanted. Once it may not, it takes the property three times, to read and to
   * write.
   */
  private mayPass(): boolean {
    if (this.isLooking) {
      return false;
    }
    this.clock().look();
    this.isLooking = this.block.isWanted;
    return !this.isLooking;
  }

  private look(): number {
    if (this.block.wants(Want.Alarm)) {
      this.block.want(Want.Alarm, false);
      this.seen = SEEN_ALARM;
      return SIGALRM;
    }
    return this.block.isWanted ? this.offer(this.block.load(Control.Interrupt)) : 0;
  }

  private consume(): void {
    this.isLooking = false;
    if (this.seen > 0) {
      this.block.take(Control.Interrupt, this.seen);
      this.state.request.inHand = this.state.request.isFresh = true;
    }
    if (this.seen !== 0 && this.seen !== SEEN_ALARM) {
      this.state.handlerTime = now();
    }
    this.seen = 0;
  }

  /** Sends output that is due, and looks for messages. */
  seeToTime(): void {
    const time = now();
    this.options.flushDueOutput(time);
    if (this.options.mode !== 'shared-memory' && this.state.epoch !== 0) {
      this.lookForMessages(time);
    }
  }

  private lookForMessages(time: number): void {
    if (time - this.lastAsk < LOOK_MS || this.options.mode === 'none') {
      return;
    }
    this.lastAsk = time;
    if (this.options.mode === 'stack-switching') {
      this.block.want(Want.Alarm, this.state.handlerTime === -Infinity);
    } else {
      this.pollPage();
    }
  }

  /** Asks the page through the service worker. */
  pollPage(): void {
    const limitMs = this.state.epoch === 0 ? null : this.options.askPage(this.state.epoch);
    if (limitMs !== null) {
      this.block.noteLimit(this.state.epoch, limitMs);
      this.block.store(Control.Interrupt, this.state.epoch);
    }
    this.lastAsk = now();
  }

  /** No offer while the Python handler runs (it would recurse), nor in the few checks on its way out. */
  private offer(word: number): number {
    const { block, state } = this;
    const { request } = state;
    if (state.handlerTime !== -Infinity) {
      if (now() - state.handlerTime < HANDLER_MS) {
        return 0;
      }
      state.handlerTime = -Infinity;
    }
    if (state.skip > 0) {
      state.skip--;
      if (block.wants(Want.Storm) || now() < request.hotUntil) {
        this.clock().askAtOnce();
      }
      return 0;
    }
    if (state.epoch === 0) {
      return this.offerIdle(word);
    }
    if (block.wants(Want.Storm) && now() < state.restTime) {
      this.clock().askAtOnce();
      return 0;
    }
    if (word === state.epoch && state.restMs() <= 0) {
      if (request.isOther || block.load(Control.Storm) === state.epoch) {
        block.want(Want.Storm, true);
      }
      this.seen = word;
      return SIGINT;
    }
    if (word !== 0 && word < state.epoch) {
      block.take(Control.Interrupt, word); // for an earlier request
    }
    if (block.wants(Want.Storm)) {
      this.clock().set(1);
      return this.offerAgain();
    }
    if (block.wants(Want.Deferred | Want.Verify)) {
      const time = now();
      if (time < request.hotUntil) {
        this.clock().askAtOnce();
        return this.offerAgain();
      }
      if (time - state.offerTime >= (block.wants(Want.Verify) ? VERIFY_AGAIN_MS : OFFER_AGAIN_MS)) {
        state.offerTime = time;
        return this.offerAgain();
      }
      this.clock().askSoon();
    }
    return 0;
  }

  private offerAgain(): number {
    this.seen = SEEN_AGAIN;
    return SIGINT;
  }

  private offerIdle(word: number): number {
    const time = now();
    const isStuck = word === -1 || (this.block.wants(Want.Watch) && time - this.state.lastTurn > STUCK_MS);
    if (isStuck && time - this.state.offerTime >= OFFER_AGAIN_MS) {
      this.state.offerTime = time;
      return this.offerAgain();
    }
    return 0;
  }

  /** A message may have come just now: the next look for one can wait. */
  asked(): void {
    this.lastAsk = now();
  }
}
