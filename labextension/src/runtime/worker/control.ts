/**
 * Interrupts, worker side: the control block, the object Pyodide polls, and the pump that reaches
 * Python while it is suspended.
 *
 * Pyodide's helper reads the interrupt buffer and then writes 0, in two steps: with a plain typed
 * array an interrupt between them is lost, and a stale one hits the next cell. So the buffer is an
 * object: reading only looks, writing consumes by compareExchange exactly what was seen.
 * Interrupts are addressed to an epoch; one for another epoch is dropped.
 */
import { Control, type InterruptMode, type InterruptOptions } from '../protocol';
import { CLOCK_START, SignalGate } from './signal_gate';
import { Turns } from './turns';

/** What `interrupts.on_idle` of the Python side answers. */
type IdleAnswer = 'wait' | 'defer' | 'drop';

const SIGINT = 2;
const SIGALRM = 14;
/** `seen` values that consume nothing from the control block. */
const SEEN_AGAIN = -2;
const SEEN_ALARM = -9;
/** Most checks between two looks in the first millisecond of a cell, and by how much it grows with each. */
const FIRST_CHECKS = 8;
/** Most eval-breaker checks between two looks. */
const MAX_CLOCK = 400;
/** Where Pyodide's module keeps the interrupt buffer. */
const PROPERTY = 'Py_EmscriptenSignalBuffer';
/** Of the looks that C code asks for, one in so many sees to what is due by time. */
const C_LOOK = 32;
/** Ms until an interrupt that came at a bad moment is offered again to code that blocks. */
const DEFER_MS = 1;
/** Ms between two looks for messages where there is no shared memory. */
const ALARM_MS = 200;
/**
 * Ms after an interrupt took effect from which the next one counts. A double click is one wish; code
 * that unwinds, above all through JavaScript, must not be hit again.
 */
const NEXT_PRESS_MS = 200;
/** A timer shorter than this goes through the message queue: browsers clamp nested timers to 4 ms. */
const SHORT_TIMER_MS = 2;

const now = (): number => performance.now();

/** Shared by no one, but Atomics.wait accepts it, also in a page that is not isolated. */
function privateMemory(): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  } catch {
    return new WebAssembly.Memory({ initial: 1, maximum: 1 });
  }
}

/** What the worker itself wants, for which Python has to ask: bits of one word. */
const enum Want {
  /** An interrupt that has to be offered again. */
  Deferred = 1,
  /** To see whether an exception was raised. */
  Verify = 2,
  Storm = 4,
  /** An interrupted cell's tasks may go on while nothing runs. */
  Watch = 8,
  /** The event loop is to turn once, so that a message can arrive. */
  Alarm = 16,
}

export interface InterruptControllerOptions {
  control: WebAssembly.Memory | null;
  mode: InterruptMode;
  /** Asks the page, synchronously, whether the running epoch is to be interrupted: its limit in ms, 0 or null. */
  askPage: (epoch: number) => number | null;
  flushOutput: () => void;
  /** An interrupt took effect in the request `epoch`. */
  onStop: (epoch: number) => void;
  /** Called from inside Python at most every few dozen ms, to send what has been written. */
  flushDueOutput: (time: number) => void;
  onError: (text: string) => void;
}

export class InterruptController {
  readonly control: Int32Array;
  /** Stands before what Pyodide polls. */
  readonly gate: SignalGate;
  readonly mode: InterruptMode;
  /** Python's `interrupts.on_idle`, once the kernel runs. */
  onIdle: ((epoch: number, fresh: boolean) => IdleAnswer) | null = null;

  /** Called before the event loop calls Python. */
  beforeTurn: () => void = () => undefined;

  private heap: Int32Array | null = null;
  /** Questions of C code, and when the last one came that counted, as of `Date.now`. */
  private asked = 0;
  private askedAt = 0;
  private looking = false;
  private getHeap: (() => Int32Array) | null = null;
  private clock = 0;
  /** Eval-breaker checks from the last look to the next, and their greatest number. */
  private interval = 50;
  private cap = MAX_CLOCK;
  /** In which the clock ran down last, as of `Date.now`. */
  private millisecond = 0;
  private gated = false;
  private userStart = 0;

  private epoch = 0;
  private seen = 0;
  private deferTime = 0;
  private inHand = false;
  private fresh = false;
  private requestMode = false;
  private hotUntil = 0;
  private busy = false;
  private busyTime = 0;
  private skip = 0;
  private hit = false;
  private hitTime = -Infinity;
  private lastTurn = 0;
  private pumpArmed = false;
  private pumpTries = 0;

  private lastAsk = 0;
  private readonly turns = new Turns();
  private readonly queue: (() => void)[] = [];
  private readonly gateQueue: (() => void)[] = [];
  private queuePosted = false;
  private readonly queueChannel = new MessageChannel();

  constructor(private readonly options: InterruptControllerOptions) {
    const memory = options.control ?? privateMemory();
    this.control = new Int32Array(memory.buffer, 0, Control.Length);
    this.gate = new SignalGate(memory);
    this.mode = options.mode;
    this.queueChannel.port1.onmessage = () => this.drain();
  }

  /** Adaptive polling and the gate need the address of CPython's signal clock (Pyodide 314). */
  useClock(address: number | undefined, memory: WebAssembly.Memory | undefined, getHeap: () => Int32Array): void {
    if (address) {
      this.clock = address >> 2;
      this.getHeap = getHeap;
      this.heap = getHeap();
      this.gated = memory !== undefined && this.gate.open(memory, address);
    }
  }

  private want(bit: Want, wanted: boolean): void {
    if (wanted) {
      this.control[Control.Wanted] |= bit;
    } else {
      this.control[Control.Wanted] &= ~bit;
    }
  }

  private get deferred(): boolean {
    return (this.control[Control.Wanted] & Want.Deferred) !== 0;
  }

  private set deferred(wanted: boolean) {
    this.want(Want.Deferred, wanted);
  }

  private get verify(): boolean {
    return (this.control[Control.Wanted] & Want.Verify) !== 0;
  }

  private set verify(wanted: boolean) {
    this.want(Want.Verify, wanted);
  }

  private get storm(): boolean {
    return (this.control[Control.Wanted] & Want.Storm) !== 0;
  }

  private set storm(wanted: boolean) {
    this.want(Want.Storm, wanted);
  }

  private get watch(): boolean {
    return (this.control[Control.Wanted] & Want.Watch) !== 0;
  }

  private set watch(wanted: boolean) {
    this.want(Want.Watch, wanted);
  }

  private get alarm(): boolean {
    return (this.control[Control.Wanted] & Want.Alarm) !== 0;
  }

  private set alarm(wanted: boolean) {
    this.want(Want.Alarm, wanted);
  }

  /** The request that runs, 0 when none does. */
  get running(): number {
    return this.epoch;
  }

  get slowClock(): boolean {
    return this.clock === 0;
  }

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

  private readonly buffer = ((controller: InterruptController) => ({
    get 0(): number {
      return controller.look();
    },
    set 0(_value: number) {
      controller.consume();
    },
  }))(this);

  // --- what Pyodide polls

  private look(): number {
    if (this.alarm) {
      this.alarm = false;
      this.seen = SEEN_ALARM;
      return SIGALRM;
    }
    return this.wanted() ? this.offer(Atomics.load(this.control, Control.Interrupt)) : 0;
  }

  private wanted(): boolean {
    return (Atomics.load(this.control, Control.Interrupt) | this.control[Control.Wanted]) !== 0;
  }

  private consume(): void {
    this.looking = false;
    if (this.seen > 0) {
      Atomics.compareExchange(this.control, Control.Interrupt, this.seen, 0);
      this.inHand = this.fresh = true;
    }
    if (this.seen !== 0 && this.seen !== SEEN_ALARM) {
      this.busy = true;
      this.busyTime = now();
    }
    this.seen = 0;
  }

  /**
   * Whether Pyodide may go on, since nothing is wanted. Once it may not, it takes the property three times, to read and to
   * write.
   */
  private mayPass(): boolean {
    if (this.looking) {
      return false;
    }
    if (this.clock === 0 || this.memory()[this.clock] === CLOCK_START) {
      this.wind();
    } else if (this.gated || ++this.asked % C_LOOK === 0) {
      this.lookForC();
    }
    this.looking = this.wanted();
    return !this.looking;
  }

  /**
   * The clock has run down: sets it anew. As long as the millisecond is the same, the number of checks doubles: those that
   * have passed took less. Otherwise it becomes what one millisecond holds.
   */
  private wind(): void {
    const millisecond = Date.now(); // costs a fifth of `performance.now`
    const passed = millisecond - this.millisecond;
    if (passed === 0) {
      this.interval = Math.min(this.interval * 2, this.cap);
    } else {
      this.millisecond = millisecond;
      this.cap = Math.min(MAX_CLOCK, FIRST_CHECKS * (1 + Math.max(0, millisecond - this.userStart)));
      this.interval = Math.max(1, Math.trunc(Math.min(this.interval / Math.max(1, passed), this.cap)));
      this.lookAtTime();
    }
    this.setClock(this.interval);
  }

  private lookForC(): void {
    if (this.gated) {
      const millisecond = Date.now();
      const passed = millisecond - this.askedAt;
      this.askedAt = millisecond;
      this.gate.letAsk(passed);
      if (passed === 0) {
        return;
      }
    }
    this.lookAtTime();
  }

  /** Sends output that is due, and looks for messages. */
  private lookAtTime(): void {
    const time = now();
    this.options.flushDueOutput(time);
    if (this.mode !== 'shared-memory' && this.epoch !== 0) {
      this.lookForMessages(time);
    }
  }

  private setClock(checks: number): void {
    if (this.clock) {
      this.memory()[this.clock] = this.gated ? Math.min(checks, CLOCK_START) : checks;
    }
    if (this.gated) {
      this.gate.letLoop(Math.max(1, Math.trunc(checks / CLOCK_START)));
    }
  }

  private memory(): Int32Array {
    if (this.heap!.length === 0) {
      this.heap = this.getHeap!(); // memory has grown: the old view is detached
    }
    return this.heap!;
  }

  private pollAtOnce(): void {
    this.interval = 1;
    this.setClock(1);
  }

  private lookForMessages(time: number): void {
    if (time - this.lastAsk < ALARM_MS || this.mode === 'none') {
      return;
    }
    this.lastAsk = time;
    if (this.mode === 'stack-switching') {
      this.alarm = !this.busy;
    } else {
      this.pollPage();
    }
  }

  /** Asks the page through the service worker. */
  pollPage(): void {
    const limitMs = this.epoch === 0 ? null : this.options.askPage(this.epoch);
    if (limitMs !== null) {
      this.noteLimit(this.epoch, limitMs);
      Atomics.store(this.control, Control.Interrupt, this.epoch);
    }
    this.lastAsk = now();
  }

  /** No offer while the Python handler runs (it would recurse), nor in the few checks on its way out. */
  private offer(word: number): number {
    if (this.busy) {
      if (now() - this.busyTime < 100) {
        return 0;
      }
      this.busy = false;
    }
    if (this.skip > 0) {
      this.skip--;
      if (this.storm || now() < this.hotUntil) {
        this.pollAtOnce();
      }
      return 0;
    }
    if (this.epoch === 0) {
      return this.offerIdle(word);
    }
    if (word === this.epoch && this.restMs() <= 0) {
      if (this.requestMode || Atomics.load(this.control, Control.Storm) === this.epoch) {
        this.storm = true;
      }
      this.seen = word;
      return SIGINT;
    }
    if (word !== 0 && word < this.epoch) {
      Atomics.compareExchange(this.control, Control.Interrupt, word, 0); // for an earlier request
    }
    if (this.storm) {
      this.setClock(1);
      this.seen = SEEN_AGAIN;
      return SIGINT;
    }
    if (this.deferred || this.verify) {
      const time = now();
      if (time < this.hotUntil) {
        this.pollAtOnce();
        this.seen = SEEN_AGAIN;
        return SIGINT;
      }
      if (time - this.deferTime >= (this.verify ? 0.1 : 1)) {
        this.deferTime = time;
        this.seen = SEEN_AGAIN;
        return SIGINT;
      }
      if (this.interval > 50) {
        this.interval = 50;
        this.setClock(50);
      }
    }
    return 0;
  }

  private offerIdle(word: number): number {
    const time = now();
    const stuck = word === -1 || (this.watch && time - this.lastTurn > 500);
    if (stuck && time - this.deferTime >= 1) {
      this.deferTime = time;
      this.seen = SEEN_AGAIN;
      return SIGINT;
    }
    return 0;
  }

  // --- the pump: runs when the event loop turns, so Python is suspended or not running

  /** A message from the page, or a turn of the loop, with an interrupt possibly in hand. */
  pump = (): void => {
    this.lastTurn = now();
    if (this.epoch === 0) {
      Atomics.compareExchange(this.control, Control.Interrupt, -1, 0);
      return;
    }
    if (Atomics.load(this.control, Control.Storm) === this.epoch) {
      this.storm = true;
    }
    let have = this.deferred || this.inHand;
    if (this.arrived()) {
      Atomics.compareExchange(this.control, Control.Interrupt, this.epoch, 0);
      have = this.fresh = true;
    }
    if (!have) {
      if (Atomics.load(this.control, Control.Interrupt) === this.epoch) {
        setTimeout(this.pump, this.restMs());
      }
      return;
    }
    this.deferred = true;
    let answer: IdleAnswer = 'defer';
    try {
      answer = this.onIdle?.(this.epoch, this.fresh) ?? 'defer';
    } catch (error) {
      this.options.onError(`on_idle: ${String(error)}`);
    }
    if (answer === 'drop') {
      this.deferred = this.inHand = this.fresh = false;
    } else if (answer === 'wait') {
      // The stop was requested; `deferred` stays until `delivered` says that it took effect.
      this.inHand = this.fresh = false;
      this.hitTime = now();
      if (this.storm) {
        setTimeout(() => {
          if (this.storm && this.epoch !== 0) {
            this.deferred = this.fresh = true;
            this.pump();
          }
        }, 20);
      }
    } else {
      this.armPump();
    }
  };

  private armPump(): void {
    if (this.pumpArmed) {
      return;
    }
    this.pumpArmed = true;
    const run = (): void => {
      this.pumpArmed = false;
      this.pump();
    };
    if (this.pumpTries++ < 20) {
      this.schedule(run, 0);
    } else {
      setTimeout(run, 2);
    }
  }

  /** An interrupt message where there is no shared memory. */
  receive(epoch: number, { storm = false, limitMs = 0 }: InterruptOptions): void {
    if (this.mode !== 'shared-memory') {
      this.noteLimit(epoch, limitMs);
      if (epoch >= this.epoch || epoch === -1) {
        Atomics.store(this.control, Control.Interrupt, epoch);
      }
      if (storm) {
        Atomics.store(this.control, Control.Storm, epoch);
      }
    }
    if (!this.turns.any) {
      this.pump();
    }
  }

  private noteLimit(epoch: number, limitMs: number): void {
    if (limitMs) {
      Atomics.store(this.control, Control.LimitMs, limitMs);
      Atomics.store(this.control, Control.TimedOut, epoch);
    }
  }

  /** The limit the running epoch has passed, ms; 0 when it has not. */
  timedOut(): number {
    return this.epoch !== 0 && Atomics.load(this.control, Control.TimedOut) === this.epoch
      ? Atomics.load(this.control, Control.LimitMs)
      : 0;
  }

  turned(): void {
    this.lastTurn = now();
  }

  // --- scheduling: Pyodide 314.0's own scheduler posts one message per immediate callback but
  // drains its whole queue per message, so its backlog grows without bound once two tasks keep
  // rescheduling. One callback per message here.

  schedule = (callback: () => void, timeoutMs = 0): void => {
    if (timeoutMs > SHORT_TIMER_MS) {
      setTimeout(() => {
        this.turned();
        if (this.turns.any) {
          this.queue.push(callback);
        } else {
          this.run(callback);
        }
      }, timeoutMs);
      return;
    }
    (this.turns.any ? this.gateQueue : this.queue).push(callback);
    this.kick();
  };

  private kick(): void {
    if (!this.queuePosted) {
      this.queuePosted = true;
      this.queueChannel.port2.postMessage(0);
    }
  }

  private drain(): void {
    this.queuePosted = false;
    if (!this.turns.any) {
      this.turned();
    }
    const queue = this.turns.any ? this.gateQueue : this.queue;
    const callback = queue.shift();
    if (callback) {
      this.run(callback);
    }
    if ((this.turns.any ? this.gateQueue : this.queue).length) {
      this.kick();
    }
  }

  private run(callback: () => void): void {
    this.beforeTurn();
    try {
      callback();
    } catch (error) {
      this.options.onError(String(error));
    }
  }

  /**
   * One turn of the event loop for messages, after at most `ms`. Of Python's callbacks only those scheduled meanwhile
   * run, for the suspension itself needs them; the others wait for `tickDone`.
   */
  tick(ms = 0): Promise<void> {
    return this.turns.begin(ms);
  }

  /** Ends the wait of a `tick`: what it may wait for has come. */
  hastenTick(): void {
    this.turns.hasten();
  }

  tickDone(): void {
    if (this.turns.end()) {
      this.queue.push(...this.gateQueue.splice(0));
    }
    this.lastAsk = now();
    this.setClock(1);
    if (this.queue.length) {
      this.kick();
    }
  }

  // --- what Python reports

  begin(epoch: number, request: boolean): void {
    this.hit = false;
    this.hitTime = -Infinity;
    this.epoch = epoch;
    this.requestMode = request;
    this.resetOffer();
    this.pumpTries = 0;
    this.lastAsk = now();
    this.pollAtOnce();
    const word = Atomics.load(this.control, Control.Interrupt);
    if (word !== 0 && word < epoch) {
      Atomics.compareExchange(this.control, Control.Interrupt, word, 0);
    }
    Atomics.store(this.control, Control.Epoch, epoch);
    if (Atomics.load(this.control, Control.Interrupt) === epoch) {
      this.armPump();
    }
  }

  end(epoch: number): void {
    this.watch ||= this.hit;
    this.hit = false;
    this.epoch = 0;
    this.resetOffer();
    Atomics.store(this.control, Control.Epoch, 0);
    Atomics.compareExchange(this.control, Control.Interrupt, epoch, 0);
    this.options.flushOutput();
  }

  private resetOffer(): void {
    this.deferred = this.inHand = this.fresh = this.storm = this.verify = false;
    this.hotUntil = 0;
  }

  private handled(): void {
    this.busy = false;
    this.skip = 1;
  }

  /** `how`: 1 raised (to be verified), 2 thrown into an await, 3 a run_sync wait woken. */
  delivered(how: number): void {
    this.handled();
    this.hit = true;
    this.hitTime = now();
    this.options.onStop(this.epoch);
    this.deferred = this.inHand = this.fresh = false;
    this.hotUntil = 0;
    if (how === 1) {
      this.verify = true;
      this.deferTime = now();
      this.pollAtOnce();
    }
  }

  /** The raised exception was seen; true when no newer interrupt is in hand. */
  verified(): boolean {
    this.verify = false;
    if (this.storm || this.deferred || this.arrived()) {
      return false;
    }
    this.handled();
    return true;
  }

  undeliver(): void {
    this.handled();
    this.verify = false;
    this.deferred = true;
    this.deferTime = 0;
    this.hot();
    this.pollAtOnce();
    this.armPump();
  }

  hot(): void {
    this.hotUntil = now() + 50;
  }

  defer(): void {
    this.handled();
    this.deferred = true;
    this.inHand = false;
    this.armPump();
  }

  ignored(): void {
    this.handled();
  }

  backgroundStopped(): void {
    this.handled();
    Atomics.compareExchange(this.control, Control.Interrupt, -1, 0);
  }

  idleAsked(): boolean {
    return Atomics.load(this.control, Control.Interrupt) === -1;
  }

  wasHit(): boolean {
    return this.hit;
  }

  storming(): boolean {
    return this.storm;
  }

  loopStuck(ms: number): boolean {
    return now() - this.lastTurn > ms;
  }

  userStartsNow(): void {
    this.userStart = Date.now();
    this.cap = FIRST_CHECKS;
    this.pollAtOnce();
  }

  /** Takes the interrupt for a synchronous check point. */
  take(): boolean {
    if (!this.pending()) {
      return this.storm;
    }
    if (this.arrived()) {
      Atomics.compareExchange(this.control, Control.Interrupt, this.epoch, 0);
      this.fresh = true;
    }
    return true;
  }

  private pending(): boolean {
    return this.epoch !== 0 && (this.deferred || this.arrived());
  }

  /** Whether an interrupt for the running epoch has come, and counts by now. */
  private arrived(): boolean {
    return Atomics.load(this.control, Control.Interrupt) === this.epoch && this.restMs() <= 0;
  }

  /** Ms until a further interrupt counts. */
  private restMs(): number {
    return this.storm || Atomics.load(this.control, Control.Storm) === this.epoch
      ? 0
      : this.hitTime + NEXT_PRESS_MS - now();
  }

  // --- waiting

  /**
   * Blocks until `ready` says so, the time is over, or an interrupt is in hand.
   *
   * @returns 'ready', 'timeout' or 'interrupted'.
   */
  block(ms: number, ready: () => boolean): 'ready' | 'timeout' | 'interrupted' {
    const end = now() + ms;
    this.options.flushOutput();
    for (;;) {
      const wake = Atomics.load(this.control, Control.Wake);
      if (ready()) {
        return 'ready';
      }
      if (Atomics.load(this.control, Control.Storm) === this.epoch && this.epoch !== 0) {
        this.storm = true;
      }
      if (this.storm || (this.pending() && !this.deferred)) {
        return 'interrupted';
      }
      const rest = end - now();
      if (rest <= 0) {
        return 'timeout';
      }
      this.setClock(1);
      if (this.deferred) {
        // Python asked to be offered it again in a moment.
        this.futex(wake, Math.min(rest, DEFER_MS));
        return ready() ? 'ready' : 'interrupted';
      }
      if (this.mode === 'shared-memory') {
        const pressed = Atomics.load(this.control, Control.Interrupt) === this.epoch && this.epoch !== 0;
        this.futex(wake, pressed ? Math.min(rest, Math.max(this.restMs(), DEFER_MS)) : rest);
      } else {
        this.futex(wake, Math.min(rest, ALARM_MS));
        if (this.mode !== 'none') {
          this.pollPage();
        }
      }
    }
  }

  /** Blocks at most `ms` without looking at interrupts. @returns whether `ready` came true. */
  blockFirmly(ms: number, ready: () => boolean): boolean {
    const end = now() + ms;
    this.options.flushOutput();
    for (;;) {
      const wake = Atomics.load(this.control, Control.Wake);
      if (ready()) {
        return true;
      }
      const rest = end - now();
      if (rest <= 0) {
        return false;
      }
      this.futex(wake, rest);
    }
  }

  private futex(seen: number, ms: number): void {
    if (this.control.buffer instanceof ArrayBuffer) {
      const end = now() + Math.min(ms, ALARM_MS);
      while (now() < end) {
        // An engine without shared memory of any kind has no other way to wait.
      }
      return;
    }
    Atomics.wait(this.control, Control.Wake, seen, Math.min(ms, 2 ** 31));
  }
}
