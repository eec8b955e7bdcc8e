/**
 * The state of an interrupt, the events that change it, and what they make the worker do. `interrupt_machine.ts` has the rules.
 */

/**
 * Where the interrupt of the running request stands.
 *
 * - `idle`: no request runs.
 * - `running`: a request runs, and no interrupt is in hand.
 * - `offered`: an interrupt was taken from the control block for Python's handler, which has not reported yet.
 * - `deferred`: it came at a bad moment. It is offered again to code that runs, and at the next turn of the event loop.
 * - `cancelling`: Python has cancelled what the cell awaits. The exception has not reached the cell yet.
 * - `raised`: Python's handler has raised, and the exception has not been seen outside of the handler yet.
 */
export type Phase = 'idle' | 'running' | 'offered' | 'deferred' | 'cancelling' | 'raised';

/** What Python's `on_idle` did: cancelled the cell, could not do so yet, or found nothing to stop. */
export type IdleAnswer = 'wait' | 'defer' | 'drop';

/** What Python did with an interrupt. Python's `interrupts` package uses the same words. */
export type Outcome =
  /** The handler raises in the frame that was interrupted. */
  | 'raised'
  /** The exception was thrown into an await, or into a `run_sync` that waits. */
  | 'thrown'
  /** The exception that the handler raised was seen outside of it. */
  | 'seen'
  /** C code dropped the exception before it left the handler. The handler goes on, and decides anew. */
  | 'swallowed'
  /** Python dropped the exception, in `__del__` or in a callback of a weak reference. */
  | 'lost'
  /** This is a bad moment: the interrupt has to be offered again. */
  | 'deferred'
  /** Nothing runs that the interrupt is meant for. */
  | 'ignored'
  /** The handler raises in a task that blocked the idle kernel. */
  | 'stopped-task';

/** What the clock and the page's words in the control block say when an event is handled. */
export interface Moment {
  /** `performance.now()`. */
  time: number;
  /** Epoch that the page wants interrupted; 0 none, -1 whatever blocks an idle worker. */
  press: number;
  /** Epoch that the page wants interrupted until it ends; 0 none. */
  storm: number;
  /** Ms since the event loop last turned. */
  sinceTurn: number;
}

export interface InterruptState {
  readonly phase: Phase;
  /** Number of the running request; 0 in phase `idle`. */
  readonly epoch: number;
  /** Whether the request runs no cell. Code such as IPython's completer swallows exceptions: so its interrupt is a storm. */
  readonly isOther: boolean;
  /** Whether the interrupt repeats until the request ends. */
  readonly isStorm: boolean;
  /** Whether a raised exception has not been seen yet. Always so in `raised`, and in other phases if a further press came. */
  readonly isUnseen: boolean;
  /** Whether there was a press since Python's `on_idle` last cancelled something. */
  readonly isFresh: boolean;
  /** Whether an interrupt has taken effect in this request. */
  readonly wasHit: boolean;
  /** When the last one took effect, or was asked to. */
  readonly hitTime: number;
  /** Until then, every check offers the interrupt: an exception was lost, and the user's code may go on only for moments. */
  readonly hotUntil: number;
  /** Until then, a storm is not offered. */
  readonly restUntil: number;
  /** When CPython was told and Python's handler called; `NEVER` once the handler has reported. */
  readonly handlerTime: number;
  /** Whether the next check is still part of leaving the handler. */
  readonly isLeaving: boolean;
  /** When an interrupt was last offered again. */
  readonly offerTime: number;
  /** Whether a request was interrupted: its tasks may go on, and block the idle kernel. */
  readonly isWatched: boolean;
}

export type InterruptEvent =
  | { type: 'begin'; epoch: number; isOther: boolean }
  | { type: 'end'; epoch: number }
  /** CPython asks for a signal. */
  | { type: 'poll' }
  /** The event loop turns, so Python is suspended or does not run. */
  | { type: 'turn' }
  /** The pause is over after which a storm interrupts an await again. */
  | { type: 'repeat' }
  /** Python's `on_idle` has answered. */
  | { type: 'answer'; answer: IdleAnswer }
  /** A call that blocks the worker is about to wait. */
  | { type: 'wait' }
  /** Python's code takes the interrupt itself, after a wait that ended for it. */
  | { type: 'take' }
  | { type: Outcome };

export type Effect =
  /** CPython gets SIGINT. */
  | { type: 'signal' }
  /** Python's handler goes on after its report: there is an interrupt that it has not decided on. */
  | { type: 'proceed' }
  /** The page's word becomes 0, if it still is `press`. */
  | { type: 'clear'; press: number }
  /** CPython asks at every check from now on, at the next check, or after no more checks than its own clock allows. */
  | { type: 'pace'; polls: 'every check' | 'next check' | 'soon' }
  /** Python's `on_idle` is called; its answer is the next event. */
  | { type: 'ask'; isFresh: boolean }
  /** The event loop turns again soon. */
  | { type: 'retry' }
  /** After `ms`, the event loop turns, or a storm repeats. */
  | { type: 'timer'; event: 'turn' | 'repeat'; ms: number }
  /** What the request has begun outside of Python, such as a download, is stopped too. */
  | { type: 'stop' };

export interface Reaction {
  state: InterruptState;
  effects: readonly Effect[];
}

/** As a time: long ago, or not at all. */
export const NEVER = -Infinity;

/**
 * Ms after an interrupt took effect until the next press counts. A double click is one wish, and
 * code that unwinds, above all through JavaScript, must not be interrupted again.
 */
const NEXT_PRESS_MS = 200;

export const IDLE: InterruptState = {
  phase: 'idle',
  epoch: 0,
  isOther: false,
  isStorm: false,
  isUnseen: false,
  isFresh: false,
  wasHit: false,
  hitTime: NEVER,
  hotUntil: NEVER,
  restUntil: NEVER,
  handlerTime: NEVER,
  isLeaving: false,
  offerTime: 0,
  isWatched: false,
};

/** Whether an interrupt waits to be offered again. */
export function isDeferred({ phase }: InterruptState): boolean {
  return phase === 'deferred' || phase === 'cancelling';
}

/** Whether an interrupt was taken from the control block, and has had no effect yet. */
export function isInHand(state: InterruptState): boolean {
  return state.phase === 'offered' || isDeferred(state);
}

/** Whether CPython has to ask for signals though the page wants nothing. */
export function needsPolls(state: InterruptState): boolean {
  return isInHand(state) || state.isUnseen || state.isStorm || (state.phase === 'idle' && state.isWatched);
}

/** Ms until a further press counts. In a storm each one counts. */
export function restMs(state: InterruptState, { time, storm }: Moment): number {
  return state.isStorm || storm === state.epoch ? 0 : state.hitTime + NEXT_PRESS_MS - time;
}

/** Whether the page wants the running request interrupted, and not too soon after the last interrupt. */
export function hasArrived(state: InterruptState, moment: Moment): boolean {
  return state.epoch !== 0 && moment.press === state.epoch && restMs(state, moment) <= 0;
}

/** Whether Python's code has an interrupt to take. */
export function isPending(state: InterruptState, moment: Moment): boolean {
  return isDeferred(state) || hasArrived(state, moment);
}
