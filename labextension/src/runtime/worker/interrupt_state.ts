/**
 * Types for the state of an interrupt, the events that change it, and the effects on the worker. `interrupt_machine.ts` has the rules.
 */

/**
 * Where the interrupt of the running request stands.
 *
 * - `idle`: no request runs.
 * - `running`: a request runs, and there is no interrupt to handle.
 * - `offered`: an interrupt was taken from the control block for Python's handler, which has not reported yet.
 * - `deferred`: the interrupt came at a bad moment. It is offered again to running code, and at the next turn of the event loop.
 * - `cancelling`: Python has cancelled what the cell awaits. The exception has not reached the cell yet.
 * - `raised`: Python's handler has raised the exception, which has not been seen outside of the handler yet.
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
  /** The exception that the handler raised was seen outside of the handler. */
  | 'seen'
  /** C code dropped the exception before it left the handler. The handler now decides again. */
  | 'swallowed'
  /** Python dropped the exception, in `__del__` or in a callback of a weak reference. */
  | 'lost'
  /** The interrupt came at a bad moment and has to be offered again. */
  | 'deferred'
  /** The code that the interrupt is meant for does not run. */
  | 'ignored'
  /** The handler raises in a task that blocked the event loop, and not for an interrupt of the running request. */
  | 'stopped-task';

/** The time, and the page's words in the control block, at the moment when an event is handled. */
export interface Moment {
  /** `performance.now()`. */
  time: number;
  /** Epoch of the request that the page wants to interrupt; 0: none; -1: whatever blocks an idle worker. */
  press: number;
  /** Epoch of the request that the page wants to interrupt again and again until it ends; 0: none. */
  storm: number;
  /** Ms since the event loop last turned. */
  sinceTurn: number;
}

export interface InterruptState {
  readonly phase: Phase;
  /** Number of the running request; 0 in phase `idle`. */
  readonly epoch: number;
  /** Whether the request does not run a cell. IPython's completer, for example, swallows exceptions. So its interrupt is a storm. */
  readonly isOther: boolean;
  /** Whether the interrupt repeats until the request ends. */
  readonly isStorm: boolean;
  /** Whether an exception was raised and not seen yet. Always true in `raised`; in other phases, after a further press. */
  readonly isUnseen: boolean;
  /** Whether there was a press since Python's `on_idle` last cancelled something. */
  readonly isFresh: boolean;
  /** Whether an interrupt has taken effect in this request. */
  readonly wasHit: boolean;
  /** Time when an interrupt last took effect, or when Python last cancelled what the cell awaits. */
  readonly hitTime: number;
  /** Until this time, every check offers the interrupt: an exception was lost, and user code must not go on for long. */
  readonly hotUntil: number;
  /** Until this time, a storm is not offered. */
  readonly restUntil: number;
  /** Time when CPython got the signal that calls Python's handler; `NEVER` once the handler has reported. */
  readonly handlerTime: number;
  /** Whether CPython's next check still belongs to the handler, which is returning. */
  readonly isLeaving: boolean;
  /** Time when an interrupt was last offered again. */
  readonly offerTime: number;
  /** Whether a request was interrupted. Tasks that it has left behind may block the idle kernel, and are then stopped. */
  readonly isWatched: boolean;
  /** Until this time, the same holds while a request runs: for some seconds after an interrupt has taken effect. */
  readonly watchedUntil: number;
  /** Number of the last request that has ended. While a task blocks the event loop, the page has not heard of that. */
  readonly ended: number;
}

export type InterruptEvent =
  | { type: 'begin'; epoch: number; isOther: boolean }
  | { type: 'end'; epoch: number }
  /** CPython asks for a signal. */
  | { type: 'poll' }
  /** The event loop turns, so Python is suspended or does not run. */
  | { type: 'turn' }
  /** The pause between two interrupts of an await in a storm is over. */
  | { type: 'repeat' }
  /** Python's `on_idle` has answered. */
  | { type: 'answer'; answer: IdleAnswer }
  /** A call that blocks the worker is about to wait. */
  | { type: 'wait' }
  /** A blocking call has ended for the interrupt, and its Python code now takes the interrupt itself. */
  | { type: 'take' }
  | { type: Outcome };

export type Effect =
  /** CPython gets SIGINT. */
  | { type: 'signal' }
  /** Python's handler goes on after its report, since it has not decided on this interrupt yet. */
  | { type: 'proceed' }
  /** The page's word for the interrupt becomes 0, if it still is `press`. */
  | { type: 'clear'; press: number }
  /** CPython asks for signals at every check from now on, at the next check, or at the latest when its own clock runs down. */
  | { type: 'pace'; polls: 'every check' | 'next check' | 'soon' }
  /** Python's `on_idle` is called; its answer is the next event. */
  | { type: 'ask'; isFresh: boolean }
  /** The event loop turns again soon. */
  | { type: 'retry' }
  /** After `ms`, the event loop turns, or a storm repeats. */
  | { type: 'timer'; event: 'turn' | 'repeat'; ms: number }
  /** Work that the request has begun outside of Python, such as a download, is stopped too. */
  | { type: 'stop' };

export interface Reaction {
  state: InterruptState;
  effects: readonly Effect[];
}

/** The time of something that has not happened. */
export const NEVER = -Infinity;

/**
 * Ms after an interrupt took effect until the next press counts. A double click counts as one press. And while the exception
 * unwinds the stack, above all through JavaScript, the code must not be interrupted again.
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
  watchedUntil: NEVER,
  ended: 0,
};

/** Whether an interrupt waits to be offered again. */
export function isDeferred({ phase }: InterruptState): boolean {
  return phase === 'deferred' || phase === 'cancelling';
}

/** Whether an interrupt was taken from the control block, and has had no effect yet. */
export function isInHand(state: InterruptState): boolean {
  return state.phase === 'offered' || isDeferred(state);
}

/** Ms without a turn of the event loop after which a task counts as blocking it. */
const STUCK_MS = 500;

/** Whether CPython has to ask for signals at each check, even if the page does not want an interrupt. */
export function needsPolls(state: InterruptState): boolean {
  return isInHand(state) || state.isUnseen || state.isStorm || state.isLeaving;
}

/** Whether a task that an interrupted cell may have left behind blocks the event loop, so that CPython has to ask for a signal. */
export function isStuck(state: InterruptState, time: number, sinceTurn: number): boolean {
  const isWatching = state.phase === 'idle' ? state.isWatched : isFree(state) && time <= state.watchedUntil;
  return isWatching && sinceTurn > STUCK_MS;
}

/** Whether a request runs, and no interrupt is meant for it. If CPython gets a signal, it is for a task that blocks the event loop. */
export function isFree({ phase, isStorm, isUnseen }: InterruptState): boolean {
  return phase === 'running' && !isStorm && !isUnseen;
}

/** Ms until a further press counts. In a storm, each press counts at once. */
export function restMs(state: InterruptState, { time, storm }: Moment): number {
  return state.isStorm || storm === state.epoch ? 0 : state.hitTime + NEXT_PRESS_MS - time;
}

/** Whether the page wants to interrupt the running request, and the last interrupt was long enough ago. */
export function hasArrived(state: InterruptState, moment: Moment): boolean {
  return state.epoch !== 0 && moment.press === state.epoch && restMs(state, moment) <= 0;
}

/** Whether there is an interrupt that Python code can take. */
export function isPending(state: InterruptState, moment: Moment): boolean {
  return isDeferred(state) || hasArrived(state, moment);
}
