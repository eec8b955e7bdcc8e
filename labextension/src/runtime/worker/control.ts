/**
 * Interrupts, worker side: the pump that reaches Python while it is suspended, and what Python reports.
 *
 * Interrupts are addressed to an epoch; one for another epoch is dropped. `signal_buffer.ts` offers them to code that runs.
 */
import { Control, type InterruptMode, type InterruptOptions } from '../protocol';
import { BlockingWait } from './blocking_wait';
import { ControlBlock, Want } from './control_block';
import { InterruptState, RunningRequest } from './interrupt_state';
import { PollingClock } from './polling_clock';
import { Scheduler } from './scheduler';
import { SignalBuffer } from './signal_buffer';
import { SignalGate } from './signal_gate';

/** What `interrupts.on_idle` of the Python side answers. */
type IdleAnswer = 'wait' | 'defer' | 'drop';

/** Ms for which each check asks, after an exception was lost. */
const HOT_MS = 50;
/** Ms until an interrupt that is repeated is thrown into an await again. */
const STORM_MS = 20;
/** Ms that code which is none of the user's has between two interrupts: offered one at each check, it would hardly go on. */
const STORM_REST_MS = 0.5;
/** Turns of the event loop at once in which the pump tries again; then with `PUMP_MS` between them. */
const QUICK_PUMPS = 20;
const PUMP_MS = 2;

const now = (): number => performance.now();

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
  readonly mode: InterruptMode;
  readonly block: ControlBlock;
  /** Stands before what Pyodide polls. */
  readonly gate: SignalGate;
  readonly clock: PollingClock;
  readonly scheduler: Scheduler;
  readonly wait: BlockingWait;
  /** Python's `interrupts.on_idle`, once the kernel runs. */
  onIdle: ((epoch: number, fresh: boolean) => IdleAnswer) | null = null;

  private readonly state: InterruptState;
  private readonly signals: SignalBuffer;
  private isPumpArmed = false;

  constructor(private readonly options: InterruptControllerOptions) {
    this.mode = options.mode;
    this.block = new ControlBlock(options.control);
    this.gate = new SignalGate(this.block.memory);
    this.state = new InterruptState(this.block);
    this.signals = new SignalBuffer(this.block, this.state, () => this.clock, options);
    this.clock = new PollingClock(this.gate, () => this.signals.seeToTime());
    this.scheduler = new Scheduler({ onTurn: () => this.turned(), onError: options.onError });
    this.wait = new BlockingWait(this.block, {
      mode: this.mode,
      inHand: () => this.inHandForWait(),
      restMs: () =>
        this.epoch !== 0 && this.block.load(Control.Interrupt) === this.epoch ? this.state.restMs() : null,
      askSoon: () => this.clock.set(1),
      pollPage: () => this.signals.pollPage(),
      flushOutput: options.flushOutput,
    });
  }

  private get request(): RunningRequest {
    return this.state.request;
  }

  private get epoch(): number {
    return this.request.epoch;
  }

  /** The request that runs, 0 when none does. */
  get running(): number {
    return this.epoch;
  }

  get control(): Int32Array {
    return this.block.words;
  }

  /** Makes Pyodide poll. */
  attach(pyodide: { _module: object; setInterruptBuffer(buffer: object): void }): void {
    this.signals.attach(pyodide);
  }

  /** Asks the page through the service worker. */
  pollPage(): void {
    this.signals.pollPage();
  }

  // --- the pump: runs when the event loop turns, so Python is suspended or not running

  /** A message from the page, or a turn of the loop, with an interrupt possibly in hand. */
  pump = (): void => {
    const { block, request } = this;
    this.turned();
    if (this.epoch === 0) {
      block.take(Control.Interrupt, -1);
      return;
    }
    this.state.noteStorm();
    let have = block.wants(Want.Deferred) || request.inHand;
    if (this.state.hasArrived()) {
      block.take(Control.Interrupt, this.epoch);
      have = request.isFresh = true;
    }
    if (!have) {
      if (block.load(Control.Interrupt) === this.epoch) {
        setTimeout(this.pump, this.state.restMs());
      }
      return;
    }
    block.want(Want.Deferred, true);
    const answer = this.askPython();
    if (answer === 'drop') {
      this.state.settle();
    } else if (answer === 'wait') {
      // The stop was requested; it counts as deferred until `delivered` says that it took effect.
      request.inHand = request.isFresh = false;
      request.hitTime = now();
      if (block.wants(Want.Storm)) {
        setTimeout(() => this.repeat(), STORM_MS);
      }
    } else {
      this.armPump();
    }
  };

  private askPython(): IdleAnswer {
    try {
      return this.onIdle?.(this.epoch, this.request.isFresh) ?? 'defer';
    } catch (error) {
      this.options.onError(`on_idle: ${String(error)}`);
      return 'defer';
    }
  }

  private repeat(): void {
    if (this.block.wants(Want.Storm) && this.epoch !== 0) {
      this.block.want(Want.Deferred, true);
      this.request.isFresh = true;
      this.pump();
    }
  }

  private armPump(): void {
    if (this.isPumpArmed) {
      return;
    }
    this.isPumpArmed = true;
    const run = (): void => {
      this.isPumpArmed = false;
      this.pump();
    };
    if (this.request.pumps++ < QUICK_PUMPS) {
      this.scheduler.schedule(run, 0);
    } else {
      setTimeout(run, PUMP_MS);
    }
  }

  /** An interrupt message where there is no shared memory. */
  receive(epoch: number, { storm = false, limitMs = 0 }: InterruptOptions): void {
    if (this.mode !== 'shared-memory') {
      this.block.noteLimit(epoch, limitMs);
      if (epoch >= this.epoch || epoch === -1) {
        this.block.store(Control.Interrupt, epoch);
      }
      if (storm) {
        this.block.store(Control.Storm, epoch);
      }
    }
    if (!this.scheduler.isTurning) {
      this.pump();
    }
  }

  /** The limit the running epoch has passed, ms; 0 when it has not. */
  timedOut(): number {
    return this.epoch !== 0 && this.block.load(Control.TimedOut) === this.epoch ? this.block.load(Control.LimitMs) : 0;
  }

  turned(): void {
    this.state.turned();
  }

  /** A call of Python's that waited for its turn goes on. */
  tickDone(): void {
    this.scheduler.tickDone();
    this.signals.asked();
    this.clock.set(1);
  }

  // --- what Python reports

  begin(epoch: number, isOther: boolean): void {
    this.state.change(new RunningRequest(epoch, isOther));
    this.signals.asked();
    this.clock.askAtOnce();
    const word = this.block.load(Control.Interrupt);
    if (word !== 0 && word < epoch) {
      this.block.take(Control.Interrupt, word);
    }
    this.block.store(Control.Epoch, epoch);
    if (this.block.load(Control.Interrupt) === epoch) {
      this.armPump();
    }
  }

  end(epoch: number): void {
    if (this.request.wasHit) {
      this.block.want(Want.Watch, true);
    }
    this.state.change(new RunningRequest(0, false));
    this.block.store(Control.Epoch, 0);
    this.block.take(Control.Interrupt, epoch);
    this.options.flushOutput();
  }

  /** `how`: 1 raised (to be verified), 2 thrown into an await, 3 a run_sync wait woken. */
  delivered(how: number): void {
    this.state.handled();
    this.request.wasHit = true;
    this.request.hitTime = now();
    this.options.onStop(this.epoch);
    this.state.settle();
    this.request.hotUntil = 0;
    if (how === 1) {
      this.block.want(Want.Verify, true);
      this.state.offerTime = now();
      this.clock.askAtOnce();
    }
  }

  /** The raised exception was seen; true when no newer interrupt is in hand. */
  verified(): boolean {
    this.block.want(Want.Verify, false);
    if (this.block.wants(Want.Storm | Want.Deferred) || this.state.hasArrived()) {
      return false;
    }
    this.state.handled();
    return true;
  }

  /** The raised exception was lost: it is offered again at once. */
  undeliver(): void {
    this.state.handled();
    this.block.want(Want.Verify, false);
    this.block.want(Want.Deferred, true);
    this.state.offerTime = 0;
    this.hot();
    this.clock.askAtOnce();
    this.armPump();
  }

  hot(): void {
    this.request.hotUntil = now() + HOT_MS;
  }

  /** The interrupt came at a bad moment. */
  defer(): void {
    this.state.handled();
    this.state.restTime = now() + STORM_REST_MS;
    this.block.want(Want.Deferred, true);
    this.request.inHand = false;
    this.armPump();
  }

  ignored(): void {
    this.state.handled();
  }

  backgroundStopped(): void {
    this.state.handled();
    this.block.take(Control.Interrupt, -1);
  }

  idleAsked(): boolean {
    return this.block.load(Control.Interrupt) === -1;
  }

  wasHit(): boolean {
    return this.request.wasHit;
  }

  storming(): boolean {
    return this.state.isStorm;
  }

  loopStuck(ms: number): boolean {
    return now() - this.state.lastTurn > ms;
  }

  /** Takes the interrupt for a synchronous check point. */
  take(): boolean {
    if (!this.state.isPending()) {
      return this.state.isStorm;
    }
    if (this.state.hasArrived()) {
      this.block.take(Control.Interrupt, this.epoch);
      this.request.isFresh = true;
    }
    return true;
  }

  private inHandForWait(): 'now' | 'soon' | null {
    this.state.noteStorm();
    const isDeferred = this.block.wants(Want.Deferred);
    if (this.state.isStorm || (this.state.isPending() && !isDeferred)) {
      return 'now';
    }
    return isDeferred ? 'soon' : null;
  }
}
