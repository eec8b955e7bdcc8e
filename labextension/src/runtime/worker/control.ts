/**
 * Handles interrupts in the worker: passes events to the state machine and carries out its effects.
 *
 * Each interrupt is meant for one request, which its epoch names. If another request runs, the interrupt is dropped.
 */
import { Control, type InterruptMode, type InterruptOptions } from '../protocol';
import { BlockingWait } from './blocking_wait';
import { ControlBlock, Want } from './control_block';
import { react } from './interrupt_machine';
import { snapshotText } from './interrupt_snapshot';
import {
  type Effect,
  IDLE,
  type IdleAnswer,
  type InterruptEvent,
  type InterruptState,
  isDeferred,
  isFree,
  isPending,
  isStuck,
  type Moment,
  NEVER,
  needsPolls,
  type Outcome,
  restMs,
} from './interrupt_state';
import { MessageLooks, type MessageLooksOptions } from './message_looks';
import { PollingClock } from './polling_clock';
import { Scheduler } from './scheduler';
import { SignalBuffer } from './signal_buffer';
import { SignalGate } from './signal_gate';

/** Number of retries at the next turn of the event loop. Later retries wait for `RETRY_MS`. */
const QUICK_RETRIES = 20;
const RETRY_MS = 2;

export interface InterruptControllerOptions extends MessageLooksOptions {
  /** Holds the control block; null where the page shares no memory. */
  control: WebAssembly.Memory | null;
  flushOutput: () => void;
  /** An interrupt took effect in the request `epoch`. */
  onStop: (epoch: number) => void;
  /** Sends output that is due. Called from inside Python, at most every few dozen ms. */
  flushDueOutput: (time: number) => void;
  onError: (text: string) => void;
}

export class InterruptController {
  /** How a waiting or running Python can be reached. */
  readonly mode: InterruptMode;
  readonly block: ControlBlock;
  /** Answers CPython in WebAssembly while nobody wants anything. */
  readonly gate: SignalGate;
  /** Decides how often running code asks for signals. */
  readonly clock: PollingClock;
  /** Runs the callbacks of Python's event loop. */
  readonly scheduler: Scheduler;
  /** Waits that block the worker. */
  readonly wait: BlockingWait;
  /** Python's `interrupts.on_idle`, once the kernel runs. */
  onIdle: ((epoch: number, isFresh: boolean) => IdleAnswer) | null = null;

  private state: InterruptState = IDLE;
  /** The interrupt buffer that Pyodide reads. */
  private readonly signals: SignalBuffer;
  /** Lets messages arrive where there is no shared memory. */
  private readonly looks: MessageLooks;
  /** Time when the event loop last turned. */
  private lastTurn = 0;
  /** Whether a retry is scheduled, and how many retries the running request has had. */
  private isRetrying = false;
  private retries = 0;

  constructor(private readonly options: InterruptControllerOptions) {
    this.mode = options.mode;
    this.block = new ControlBlock(options.control);
    this.gate = new SignalGate(this.block.memory);
    this.clock = new PollingClock(this.gate, () => this.runTimedWork());
    this.signals = new SignalBuffer(this.block, { clock: this.clock, poll: () => this.poll() });
    this.looks = new MessageLooks(this.block, options);
    this.scheduler = new Scheduler({ onTurn: () => this.noteTurn(), onError: options.onError });
    this.wait = new BlockingWait(this.block, {
      mode: this.mode,
      inHand: () => this.inHandForWait(),
      restMs: () => this.restMsForWait(),
      pollAfterWait: () => this.clock.setPace('next check'),
      pollPage: () => this.pollPage(),
      flushOutput: options.flushOutput,
    });
  }

  /** Epoch of the running request; 0 while no request runs. */
  get running(): number {
    return this.state.epoch;
  }

  get control(): Int32Array {
    return this.block.words;
  }

  /** Makes Pyodide read signals from this controller. */
  attach(pyodide: { _module: object; setInterruptBuffer(buffer: object): void }): void {
    this.signals.attach(pyodide);
  }

  // --- the state machine

  private moment(): Moment {
    const time = performance.now();
    return {
      time,
      press: this.block.load(Control.Interrupt),
      storm: this.block.load(Control.Storm),
      sinceTurn: time - this.lastTurn,
    };
  }

  private dispatch(event: InterruptEvent): readonly Effect[] {
    const { state, effects } = react(this.state, event, this.moment());
    this.state = state;
    this.block.want(Want.Interrupt, needsPolls(state));
    effects.forEach(effect => this.perform(effect));
    return effects;
  }

  private perform(effect: Effect): void {
    switch (effect.type) {
      case 'clear':
        this.block.clear(Control.Interrupt, effect.press);
        break;
      case 'pace':
        this.clock.setPace(effect.polls);
        break;
      case 'ask':
        this.dispatch({ type: 'answer', answer: this.askPython(effect.isFresh) });
        break;
      case 'retry':
        this.retry();
        break;
      case 'timer':
        setTimeout(() => this.turn(effect.event), effect.ms);
        break;
      case 'stop':
        this.options.onStop(this.state.epoch);
        break;
      // `poll` returns the effect 'signal', and `outcome` returns 'proceed'.
    }
  }

  private askPython(isFresh: boolean): IdleAnswer {
    try {
      return this.onIdle?.(this.state.epoch, isFresh) ?? 'defer';
    } catch (error) {
      this.options.onError(`on_idle: ${String(error)}`);
      return 'defer';
    }
  }

  private retry(): void {
    if (this.isRetrying) {
      return;
    }
    this.isRetrying = true;
    const run = (): void => {
      this.isRetrying = false;
      this.turn();
    };
    if (this.retries++ < QUICK_RETRIES) {
      this.scheduler.schedule(run, 0);
    } else {
      setTimeout(run, RETRY_MS);
    }
  }

  // --- CPython asks

  private poll(): boolean {
    return this.dispatch({ type: 'poll' }).some(effect => effect.type === 'signal');
  }

  /** Sends output that is due, lets messages arrive, and looks for tasks that block the event loop. The polling clock calls this now and then. */
  private runTimedWork(): void {
    const time = performance.now();
    if (isStuck(this.state, time, time - this.lastTurn)) {
      this.block.want(Want.Interrupt, true); // this question of CPython's is a poll, too
    }
    this.options.flushDueOutput(time);
    // The event loop must not turn inside the handler, which is about to raise.
    this.looks.lookIfDue(time, this.state.epoch, this.state.handlerTime === NEVER);
  }

  /** Asks the page through the service worker. */
  pollPage(): void {
    this.looks.askPage(this.state.epoch);
  }

  // --- the event loop and the page

  /** Notes that the event loop turns. Called for each message and each of Python's callbacks, so it does nothing else. */
  noteTurn(): void {
    this.lastTurn = performance.now();
  }

  /** Handles a turn of the event loop, at which code that awaits can be interrupted. */
  turn(type: 'turn' | 'repeat' = 'turn'): void {
    this.noteTurn();
    this.dispatch({ type });
  }

  /** Receives an interrupt that came by message. With shared memory, it is in the control block as well. */
  receive(epoch: number, { storm = false, limitMs = 0 }: InterruptOptions): void {
    if (this.mode !== 'shared-memory') {
      this.block.noteLimit(epoch, limitMs);
      if (epoch >= this.state.epoch || epoch === -1) {
        this.block.store(Control.Interrupt, epoch);
      }
      if (storm) {
        this.block.store(Control.Storm, epoch);
      }
    }
    if (!this.scheduler.isTurning) {
      this.turn();
    }
  }

  /** Notes that a call from Python, which has waited for a turn of the event loop, continues. */
  tickDone(): void {
    this.scheduler.tickDone();
    this.looks.arrived();
    this.clock.setPace('next check');
  }

  // --- what Python says and asks

  begin(epoch: number, isOther: boolean): void {
    this.retries = 0;
    this.looks.arrived();
    this.dispatch({ type: 'begin', epoch, isOther });
    this.block.store(Control.Epoch, epoch);
  }

  /** @returns whether an interrupt took effect in the request. */
  end(epoch: number): boolean {
    const { wasHit } = this.state;
    this.retries = 0;
    this.dispatch({ type: 'end', epoch });
    this.block.store(Control.Epoch, 0);
    this.options.flushOutput();
    return wasHit;
  }

  /** @returns whether the handler has to go on, since there is an interrupt that it has not decided on yet. */
  outcome(outcome: Outcome): boolean {
    return this.dispatch({ type: outcome }).some(effect => effect.type === 'proceed');
  }

  /** Takes the interrupt, if there is one, for Python code that handles it itself. @returns whether there was one. */
  take(): boolean {
    const isTaken = isPending(this.state, this.moment()) || this.state.isStorm;
    this.dispatch({ type: 'take' });
    return isTaken;
  }

  /** What Python needs to know to decide on an interrupt. */
  snapshot(): string {
    const { press, sinceTurn } = this.moment();
    return snapshotText({
      was_hit: Number(this.state.wasHit),
      is_storm: Number(this.state.isStorm),
      is_for_idle: Number(press !== 0 && this.running === 0),
      is_watch: Number(isFree(this.state)),
      limit_ms: this.passedLimitMs(),
      loop_ms: Math.ceil(sinceTurn),
    });
  }

  /** The limit in ms that the running request has passed; 0 if it has not passed one. */
  private passedLimitMs(): number {
    const { epoch } = this.state;
    return epoch !== 0 && this.block.load(Control.TimedOut) === epoch ? this.block.load(Control.LimitMs) : 0;
  }

  // --- waits that block the worker

  private inHandForWait(): 'now' | 'soon' | null {
    this.dispatch({ type: 'wait' });
    const { state } = this;
    if (isDeferred(state) && !state.isStorm) {
      return 'soon';
    }
    return state.isStorm || isPending(state, this.moment()) ? 'now' : null;
  }

  private restMsForWait(): number | null {
    const moment = this.moment();
    return this.state.epoch !== 0 && moment.press === this.state.epoch ? restMs(this.state, moment) : null;
  }
}
