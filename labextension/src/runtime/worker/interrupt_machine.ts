/**
 * The rules of an interrupt's state machine. `react` is a pure function: it takes a state, an event, and the time and the page's
 * wishes at that moment. It returns the next state, and the effects that the worker has to carry out.
 *
 * `docs/explanation/stop.md` shows the phases and their transitions. A test compares that page with this file.
 */
import {
  type Effect,
  hasArrived,
  IDLE,
  type IdleAnswer,
  type InterruptEvent,
  type InterruptState,
  isDeferred,
  isInHand,
  isStuck,
  type Moment,
  NEVER,
  type Outcome,
  type Phase,
  type Reaction,
  restMs,
} from './interrupt_state';

/** Ms after which a handler that has not reported counts as ended: an exception may have ended it. */
const HANDLER_MS = 100;
/** Ms between two offers of a deferred interrupt. If it were offered at each check, asyncio's own code would hardly get on. */
const OFFER_AGAIN_MS = 1;
/** Ms between two checks whether a raised exception was seen. A lost exception has to be raised again before the user notices. */
const VERIFY_AGAIN_MS = 0.1;
/** Ms for which every check offers the interrupt after an exception was lost. */
const HOT_MS = 50;
/** Ms for which a storm pauses in code that is not the user's. If it were offered at each check, such code would hardly get on. */
const STORM_REST_MS = 0.5;
/** Ms until a storm interrupts an await again. */
const STORM_REPEAT_MS = 20;
/** Ms for which tasks that block the event loop are looked for after an interrupt has taken effect, and ms between two signals for them. */
const WATCH_MS = 5000;
const WATCH_AGAIN_MS = 20;

/** Changes after the handler's report. The next check still belongs to the handler; the checks after it may offer interrupts. */
const REPORTED = { handlerTime: NEVER, isLeaving: true };
const EVERY_CHECK: Effect = { type: 'pace', polls: 'every check' };

function reaction(state: InterruptState, changes: Partial<InterruptState>, ...effects: Effect[]): Reaction {
  return { state: { ...state, ...changes }, effects };
}

export function react(state: InterruptState, event: InterruptEvent, moment: Moment): Reaction {
  switch (event.type) {
    case 'begin':
      return begin(state, event, moment);
    case 'end':
      return reaction(
        state,
        { ...ofRequest(0, false), phase: 'idle', isWatched: state.isWatched || state.wasHit, ended: event.epoch },
        { type: 'clear', press: event.epoch },
      );
    case 'poll':
      return poll(state, moment);
    case 'turn':
      return turn(state, moment);
    case 'repeat':
      // This counts as a new press: the cell may have swallowed the exception, and await something else now.
      return state.isStorm ? turn({ ...state, phase: deferred(state), isFresh: true }, moment) : reaction(state, {});
    case 'answer':
      return answered(state, event.answer, moment);
    case 'wait':
      return reaction(state, { isStorm: stormed(state, moment) });
    case 'take':
      return hasArrived(state, moment)
        ? reaction(state, { phase: offered(state), isFresh: true }, { type: 'clear', press: state.epoch })
        : reaction(state, {});
    default:
      return reported(state, event.type, moment);
  }
}

function stormed({ isStorm, epoch }: InterruptState, { storm }: Moment): boolean {
  return isStorm || (epoch !== 0 && storm === epoch);
}

/** The phase without an interrupt to handle. */
function free(isUnseen: boolean): Phase {
  return isUnseen ? 'raised' : 'running';
}

/** The phase in which an interrupt waits to be offered again. */
function deferred(state: InterruptState): Phase {
  return isDeferred(state) ? state.phase : 'deferred';
}

/** The phase while Python's handler decides on a press. A deferred interrupt stays deferred, since it is offered to all code. */
function offered(state: InterruptState): Phase {
  return isDeferred(state) ? state.phase : 'offered';
}

/** The fields that start anew with each request. The others concern Python's handler and tasks, which outlive requests. */
function ofRequest(epoch: number, isOther: boolean): Partial<InterruptState> {
  const { isStorm, isUnseen, isFresh, wasHit, hitTime, hotUntil, restUntil } = IDLE;
  return { epoch, isOther, isStorm, isUnseen, isFresh, wasHit, hitTime, hotUntil, restUntil };
}

// --- events

function begin(
  state: InterruptState,
  { epoch, isOther }: { epoch: number; isOther: boolean },
  { press }: Moment,
): Reaction {
  const effects: Effect[] = [EVERY_CHECK];
  if (press !== 0 && press < epoch) {
    effects.push({ type: 'clear', press }); // meant for an earlier request
  } else if (press === epoch) {
    effects.push({ type: 'retry' }); // the press came before the request, which may begin with an await
  }
  return reaction(state, { ...ofRequest(epoch, isOther), phase: 'running' }, ...effects);
}

function poll(before: InterruptState, moment: Moment): Reaction {
  const { time, press } = moment;
  let state = before;
  if (state.handlerTime !== NEVER) {
    if (time - state.handlerTime < HANDLER_MS) {
      return reaction(state, {}); // the handler is running Python code too, and a signal would call it again
    }
    state = { ...state, handlerTime: NEVER, phase: state.phase === 'offered' ? 'deferred' : state.phase };
  }
  if (state.isLeaving) {
    const effects = state.isStorm || time < state.hotUntil ? [EVERY_CHECK] : [];
    return reaction(state, { isLeaving: false }, ...effects);
  }
  if (state.phase === 'idle') {
    return pollIdle(state, moment);
  }
  if (state.isStorm && time < state.restUntil) {
    return reaction(state, {}, EVERY_CHECK);
  }
  if (hasArrived(state, moment)) {
    const isStorm = state.isOther || stormed(state, moment);
    return signal({ ...state, phase: offered(state), isStorm, isFresh: true }, time, { type: 'clear', press });
  }
  const stale: Effect[] = press !== 0 && press < state.epoch ? [{ type: 'clear', press }] : []; // meant for an earlier request
  if (state.isStorm) {
    return signal(state, time, ...stale, { type: 'pace', polls: 'next check' });
  }
  if (isDeferred(state) || state.isUnseen) {
    if (time < state.hotUntil) {
      return signal(state, time, ...stale, EVERY_CHECK);
    }
    if (time - state.offerTime >= (state.isUnseen ? VERIFY_AGAIN_MS : OFFER_AGAIN_MS)) {
      return signal({ ...state, offerTime: time }, time, ...stale);
    }
    return reaction(state, {}, ...stale, { type: 'pace', polls: 'soon' });
  }
  // After an interrupt, the cell may have to await something before it can end, and the next cells may await something too.
  return isStuck(state, time, moment.sinceTurn) && time - state.offerTime >= WATCH_AGAIN_MS
    ? signal({ ...state, offerTime: time }, time, ...stale)
    : reaction(state, {}, ...stale);
}

/**
 * While no request runs, only a task that blocks the event loop is interrupted: after a press for a request that cannot begin for that reason, or
 * after its cell was interrupted.
 */
function pollIdle(state: InterruptState, { time, press, sinceTurn }: Moment): Reaction {
  return (press !== 0 || isStuck(state, time, sinceTurn)) && time - state.offerTime >= OFFER_AGAIN_MS
    ? signal({ ...state, offerTime: time }, time)
    : reaction(state, {});
}

function signal(state: InterruptState, time: number, ...effects: Effect[]): Reaction {
  return reaction(state, { handlerTime: time }, ...effects, { type: 'signal' });
}

function turn(before: InterruptState, moment: Moment): Reaction {
  if (before.phase === 'idle') {
    const press = moment.press > 0 && moment.press <= before.ended ? moment.press : -1;
    return reaction(before, {}, { type: 'clear', press }); // the loop turns, so nothing blocks it
  }
  const state = { ...before, isStorm: stormed(before, moment) };
  const effects: Effect[] = [];
  let { isFresh } = state;
  if (hasArrived(state, moment)) {
    effects.push({ type: 'clear', press: state.epoch });
    isFresh = true;
  } else if (!isInHand(state)) {
    return moment.press === state.epoch
      ? reaction(state, {}, { type: 'timer', event: 'turn', ms: restMs(state, moment) })
      : reaction(state, {});
  }
  return reaction(state, { phase: deferred(state), isFresh }, ...effects, { type: 'ask', isFresh });
}

function answered(state: InterruptState, answer: IdleAnswer, { time }: Moment): Reaction {
  if (state.phase === 'idle') {
    return reaction(state, {});
  }
  if (answer === 'drop') {
    return reaction(state, { phase: free(state.isUnseen), isFresh: false });
  }
  if (answer === 'defer') {
    return reaction(state, {}, { type: 'retry' });
  }
  // Running code is still offered the interrupt, since the cell may ignore that it was cancelled.
  return reaction(
    state,
    { phase: isDeferred(state) ? 'cancelling' : state.phase, isFresh: false, hitTime: time },
    ...(state.isStorm ? [{ type: 'timer', event: 'repeat', ms: STORM_REPEAT_MS } as const] : []),
  );
}

/** Reacts to a report from Python. */
function reported(state: InterruptState, outcome: Outcome, moment: Moment): Reaction {
  const { time } = moment;
  switch (outcome) {
    case 'ignored':
      return reaction(state, REPORTED);
    case 'stopped-task':
      return reaction(state, REPORTED, { type: 'clear', press: -1 });
    case 'swallowed':
      return reaction(state, { hotUntil: time + HOT_MS }, { type: 'proceed' });
    case 'seen': {
      const phase = state.phase === 'raised' ? 'running' : state.phase;
      if (hasArrived(state, moment)) {
        const effects: Effect[] = [{ type: 'clear', press: state.epoch }, { type: 'proceed' }];
        return reaction(state, { phase: offered(state), isUnseen: false, isFresh: true }, ...effects);
      }
      return state.isStorm || isInHand(state)
        ? reaction(state, { phase, isUnseen: false }, { type: 'proceed' })
        : reaction(state, { ...REPORTED, phase, isUnseen: false });
    }
  }
  if (state.phase === 'idle') {
    return reaction(state, REPORTED); // the request is just about to begin
  }
  const watched = { wasHit: true, hitTime: time, watchedUntil: time + WATCH_MS };
  const hit = { ...REPORTED, ...watched, hotUntil: NEVER, isFresh: false };
  switch (outcome) {
    case 'raised':
      return reaction(
        state,
        { ...hit, phase: 'raised', isUnseen: true, offerTime: time },
        { type: 'stop' },
        EVERY_CHECK,
      );
    case 'thrown':
      return reaction(state, { ...hit, phase: free(state.isUnseen) }, { type: 'stop' });
    case 'lost':
      return reaction(
        state,
        { ...REPORTED, phase: deferred(state), isUnseen: false, hotUntil: time + HOT_MS, offerTime: 0 },
        EVERY_CHECK,
        { type: 'retry' },
      );
    case 'deferred':
      return reaction(state, { ...REPORTED, phase: 'deferred', restUntil: time + STORM_REST_MS }, { type: 'retry' });
  }
}
