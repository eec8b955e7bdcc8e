/** The rules of interrupts, without a worker and without a clock. */
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { react } from '../../src/runtime/worker/interrupt_machine';
import {
  type Effect,
  IDLE,
  type InterruptEvent,
  type InterruptState,
  isInHand,
  type Moment,
  isStuck,
  needsPolls,
  type Phase,
} from '../../src/runtime/worker/interrupt_state';

const EPOCH = 5;
const TIME = 10_000;
const PHASES: readonly Phase[] = ['idle', 'running', 'offered', 'deferred', 'cancelling', 'raised'];

/** A state of a phase, long after everything that has happened in it. */
function state(phase: Phase, changes: Partial<InterruptState> = {}): InterruptState {
  return { ...IDLE, phase, epoch: phase === 'idle' ? 0 : EPOCH, isUnseen: phase === 'raised', ...changes };
}

const moment = (changes: Partial<Moment> = {}): Moment => ({
  time: TIME,
  press: 0,
  storm: 0,
  sinceTurn: 0,
  ...changes,
});

/** An effect in a few words. */
function words(effect: Effect): string {
  switch (effect.type) {
    case 'clear':
      return `clear ${effect.press}`;
    case 'pace':
      return effect.polls;
    case 'ask':
      return effect.isFresh ? 'ask of a press' : 'ask';
    case 'timer':
      return `${effect.event} in ${effect.ms}`;
    default:
      return effect.type;
  }
}

type Row = [
  rule: string,
  before: InterruptState,
  event: InterruptEvent,
  at: Partial<Moment>,
  phase: Phase,
  effects: string[],
];

const poll = { type: 'poll' } as const;
const turn = { type: 'turn' } as const;
const begin = { type: 'begin', epoch: EPOCH, isOther: false } as const;
const late = { isLeaving: false, handlerTime: TIME - 100 };
const BEFORE = EPOCH - 1;
/** An interrupt took effect a while ago. */
const HIT = { wasHit: true, hitTime: TIME - 1000, watchedUntil: TIME + 4000 };

const ROWS: Row[] = [
  // a request begins and ends
  ['a request begins', state('idle'), begin, {}, 'running', ['every check']],
  [
    'a press for an earlier request is dropped',
    state('idle'),
    begin,
    { press: BEFORE },
    'running',
    ['every check', `clear ${BEFORE}`],
  ],
  ['a press may come before its request', state('idle'), begin, { press: EPOCH }, 'running', ['every check', 'retry']],
  [
    'a press for an ended request is dropped',
    state('running'),
    { type: 'end', epoch: EPOCH },
    { press: EPOCH },
    'idle',
    [`clear ${EPOCH}`],
  ],

  // CPython asks
  ['no press, no signal', state('running'), poll, {}, 'running', []],
  ['a press is taken once', state('running'), poll, { press: EPOCH }, 'offered', [`clear ${EPOCH}`, 'signal']],
  ['a press for a later request waits', state('running'), poll, { press: EPOCH + 1 }, 'running', []],
  ['a late press is dropped', state('running'), poll, { press: BEFORE }, 'running', [`clear ${BEFORE}`]],
  ['a double click is one press', state('running', { hitTime: TIME - 199 }), poll, { press: EPOCH }, 'running', []],
  [
    '200 ms later it is another',
    state('running', { hitTime: TIME - 200 }),
    poll,
    { press: EPOCH },
    'offered',
    [`clear ${EPOCH}`, 'signal'],
  ],
  [
    'in a storm each press counts',
    state('running', { hitTime: TIME }),
    poll,
    { press: EPOCH, storm: EPOCH },
    'offered',
    [`clear ${EPOCH}`, 'signal'],
  ],
  [
    'the handler is not interrupted',
    state('offered', { handlerTime: TIME - 99 }),
    poll,
    { press: EPOCH },
    'offered',
    [],
  ],
  ['a handler that is gone took nothing with it', state('offered', late), poll, {}, 'deferred', ['signal']],
  ['nor at its first check afterwards', state('deferred', { isLeaving: true }), poll, {}, 'deferred', []],
  [
    'but at the next in a storm',
    state('deferred', { isLeaving: true, isStorm: true }),
    poll,
    {},
    'deferred',
    ['every check'],
  ],
  ['a deferred interrupt is offered again', state('deferred'), poll, {}, 'deferred', ['signal']],
  ['but only after a millisecond', state('deferred', { offerTime: TIME - 0.9 }), poll, {}, 'deferred', ['soon']],
  ['code that ignores a cancellation is interrupted', state('cancelling'), poll, {}, 'cancelling', ['signal']],
  ['a raised exception is looked for', state('raised', { offerTime: TIME - 0.1 }), poll, {}, 'raised', ['signal']],
  ['but not at each check', state('raised', { offerTime: TIME - 0.09 }), poll, {}, 'raised', ['soon']],
  [
    'a lost exception is raised at the next check',
    state('deferred', { hotUntil: TIME + 1, offerTime: TIME }),
    poll,
    {},
    'deferred',
    ['every check', 'signal'],
  ],
  ['a storm repeats at each check', state('running', { isStorm: true }), poll, {}, 'running', ['next check', 'signal']],
  [
    'but lets code that is not the user’s go on',
    state('deferred', { isStorm: true, restUntil: TIME + 0.5 }),
    poll,
    {},
    'deferred',
    ['every check'],
  ],

  // CPython asks while no request runs
  ['idle code is not interrupted', state('idle'), poll, { sinceTurn: 9000 }, 'idle', []],
  ['but for a press that is meant for it', state('idle'), poll, { press: -1 }, 'idle', ['signal']],
  ['or for a request that waits behind it', state('idle'), poll, { press: 7 }, 'idle', ['signal']],
  [
    'or for one that has ended, of which the page knows nothing',
    state('idle', { ended: 7 }),
    poll,
    { press: 7 },
    'idle',
    ['signal'],
  ],
  [
    'or if an interrupted cell left it, and it blocks',
    state('idle', { isWatched: true }),
    poll,
    { sinceTurn: 501 },
    'idle',
    ['signal'],
  ],
  ['not if it does not block', state('idle', { isWatched: true }), poll, { sinceTurn: 500 }, 'idle', []],
  [
    'a task that blocks the end of an interrupted cell is interrupted',
    state('running', HIT),
    poll,
    { sinceTurn: 501 },
    'running',
    ['signal'],
  ],
  ['not at every check', state('running', { ...HIT, offerTime: TIME - 19 }), poll, { sinceTurn: 501 }, 'running', []],
  ['not if the loop turns', state('running', HIT), poll, { sinceTurn: 500 }, 'running', []],
  ['not for ever', state('running', { ...HIT, watchedUntil: TIME - 1 }), poll, { sinceTurn: 501 }, 'running', []],
  ['nor the next cell', state('running', { watchedUntil: TIME + 1 }), poll, { sinceTurn: 501 }, 'running', ['signal']],
  [
    'not if none was interrupted lately',
    state('running', { isWatched: true }),
    poll,
    { sinceTurn: 501 },
    'running',
    [],
  ],

  // the event loop turns
  ['nothing to do', state('running'), turn, {}, 'running', []],
  [
    'a press is taken, and Python asked to cancel',
    state('running'),
    turn,
    { press: EPOCH },
    'deferred',
    [`clear ${EPOCH}`, 'ask of a press'],
  ],
  [
    'a press too soon is looked at later',
    state('running', { hitTime: TIME - 150 }),
    turn,
    { press: EPOCH },
    'running',
    ['turn in 50'],
  ],
  [
    'one that the handler did not decide on is in hand',
    state('offered', { isFresh: true }),
    turn,
    {},
    'deferred',
    ['ask of a press'],
  ],
  ['Python is asked whether it goes on', state('cancelling'), turn, {}, 'cancelling', ['ask']],
  ['nothing blocks an idle worker whose loop turns', state('idle'), turn, { press: -1 }, 'idle', ['clear -1']],
  [
    'a press for an ended request is forgotten then',
    state('idle', { ended: 7 }),
    turn,
    { press: 7 },
    'idle',
    ['clear 7'],
  ],
  ['a press for a request to come is not', state('idle', { ended: 7 }), turn, { press: 8 }, 'idle', ['clear -1']],
  [
    'a storm cancels again',
    state('running', { isStorm: true }),
    { type: 'repeat' },
    {},
    'deferred',
    ['ask of a press'],
  ],
  ['if it goes on', state('running'), { type: 'repeat' }, {}, 'running', []],

  // Python answers, and reports
  ['nothing to stop', state('deferred'), { type: 'answer', answer: 'drop' }, {}, 'running', []],
  [
    'nothing but an exception not seen yet',
    state('deferred', { isUnseen: true }),
    { type: 'answer', answer: 'drop' },
    {},
    'raised',
    [],
  ],
  [
    'the cell cannot be cancelled yet',
    state('deferred'),
    { type: 'answer', answer: 'defer' },
    {},
    'deferred',
    ['retry'],
  ],
  ['it was cancelled', state('deferred'), { type: 'answer', answer: 'wait' }, {}, 'cancelling', []],
  [
    'it will be again in a storm',
    state('deferred', { isStorm: true }),
    { type: 'answer', answer: 'wait' },
    {},
    'cancelling',
    ['repeat in 20'],
  ],
  ['the cell has got the exception', state('cancelling'), { type: 'thrown' }, {}, 'running', ['stop']],
  [
    'beside another that was not seen yet',
    state('cancelling', { isUnseen: true }),
    { type: 'thrown' },
    {},
    'raised',
    ['stop'],
  ],
  ['the handler raises', state('offered'), { type: 'raised' }, {}, 'raised', ['stop', 'every check']],
  ['this is a bad moment', state('offered'), { type: 'deferred' }, {}, 'deferred', ['retry']],
  ['the exception was seen', state('raised'), { type: 'seen' }, {}, 'running', []],
  [
    'with a further press to decide on, which is taken at once',
    state('raised'),
    { type: 'seen' },
    { press: EPOCH },
    'offered',
    [`clear ${EPOCH}`, 'proceed'],
  ],
  ['that was taken already', state('offered', { isUnseen: true }), { type: 'seen' }, {}, 'offered', ['proceed']],
  ['C code dropped it', state('raised'), { type: 'swallowed' }, {}, 'raised', ['proceed']],
  ['Python dropped it', state('raised'), { type: 'lost' }, {}, 'deferred', ['every check', 'retry']],
  ['a task of the idle kernel ends', state('idle'), { type: 'stopped-task' }, { press: -1 }, 'idle', ['clear -1']],
  ['nothing is meant', state('idle'), { type: 'ignored' }, {}, 'idle', []],
  ['a report just before a request says nothing about it', state('idle'), { type: 'deferred' }, {}, 'idle', []],
  ['Python takes a press itself', state('running'), { type: 'take' }, { press: EPOCH }, 'offered', [`clear ${EPOCH}`]],
  ['if there is one', state('running'), { type: 'take' }, {}, 'running', []],
];

describe('a reaction', () => {
  it.each(ROWS)('%s', (_rule, before, event, at, phase, effects) => {
    const result = react(before, event, moment(at));
    expect([result.state.phase, result.effects.map(words)]).toEqual([phase, effects]);
  });

  it('to a press makes the interrupt of a request without a cell a storm', () => {
    expect(react(state('running', { isOther: true }), poll, moment({ press: EPOCH })).state.isStorm).toBe(true);
    expect(react(state('running'), poll, moment({ press: EPOCH })).state.isStorm).toBe(false);
  });

  it('to a wait or a turn notes that the page wants a storm', () => {
    for (const type of ['wait', 'turn'] as const) {
      expect(react(state('running'), { type }, moment({ storm: EPOCH })).state.isStorm).toBe(true);
      expect(react(state('running'), { type }, moment({ storm: BEFORE })).state.isStorm).toBe(false);
    }
  });

  it('looks for tasks after an interrupt for some seconds only, and asks for no checks for that', () => {
    const [soon, late] = [TIME + 1, TIME - 1].map(watchedUntil => state('running', { ...HIT, watchedUntil }));
    expect([soon, late].map(each => isStuck(each, TIME, 600))).toEqual([true, false]);
    expect(isStuck(soon, TIME, 400)).toBe(false);
    expect([soon, late].map(needsPolls)).toEqual([false, false]);
    const ended = react(late, { type: 'end', epoch: EPOCH }, moment()).state;
    expect([isStuck(ended, TIME, 600), needsPolls(ended)]).toEqual([true, false]);
  });

  it('to a beginning forgets all but what outlives a request', () => {
    const hit = {
      wasHit: true,
      isStorm: true,
      isUnseen: true,
      isFresh: true,
      hitTime: TIME,
      hotUntil: TIME,
      restUntil: TIME,
    };
    const ended = react(state('raised', hit), { type: 'end', epoch: EPOCH }, moment()).state;
    expect(ended).toEqual({ ...IDLE, isWatched: true, ended: EPOCH });
    const next = react(ended, { type: 'begin', epoch: EPOCH + 1, isOther: true }, moment()).state;
    expect(next).toEqual({ ...IDLE, phase: 'running', epoch: EPOCH + 1, isOther: true, isWatched: true, ended: EPOCH });
  });
});

/** Numbers from 0 to 1 that are the same in each run. */
function numbers(seed: number): () => number {
  let value = seed;
  return () => {
    value = (Math.imul(value, 1664525) + 1013904223) >>> 0;
    return value / 2 ** 32;
  };
}

it('keeps its promises in any order of events', () => {
  const reports = ['raised', 'thrown', 'seen', 'swallowed', 'lost', 'deferred', 'ignored'] as const;
  const ends = new Set(['raised', 'thrown', 'end', 'begin', 'drop']);
  for (let seed = 1; seed <= 100; seed++) {
    const next = numbers(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)];
    let [now, time, epoch, press] = [IDLE, TIME, 0, 0];
    for (let step = 0; step < 100; step++) {
      time += pick([0, 0.05, 0.5, 5, 150]);
      press = next() < 0.2 ? pick([epoch, epoch, epoch, epoch + 1, -1]) : press;
      const event = pick<() => InterruptEvent>([
        () =>
          now.phase === 'idle' ? { type: 'begin', epoch: ++epoch, isOther: next() < 0.2 } : { type: 'end', epoch },
        () => ({ type: pick(['poll', 'turn', 'repeat', 'wait', 'take'] as const) }),
        () => poll,
        () => ({ type: pick(reports) }),
        () => ({ type: 'answer', answer: pick(['wait', 'defer', 'drop'] as const) }),
      ])();
      const before = now;
      const { state: after, effects } = react(now, event, { time, press, storm: 0, sinceTurn: 0 });
      now = after;
      const where = `seed ${seed}, step ${step}: ${JSON.stringify([before, event, after])}`;
      expect(after.phase === 'idle', where).toBe(after.epoch === 0);
      expect(after.phase === 'raised' && !after.isUnseen, where).toBe(false);
      expect(after.phase === 'running' && after.isUnseen, where).toBe(false);
      const taken = effects.some(effect => effect.type === 'clear' && effect.press === press && press === before.epoch);
      press = effects.some(effect => effect.type === 'clear' && effect.press === press) ? 0 : press;
      // After it was taken, a press stays in hand, and CPython asks for it, until Python has reported what it did.
      const ended = ends.has(event.type === 'answer' ? event.answer : event.type);
      if ((isInHand(before) && !ended) || (taken && event.type !== 'end')) {
        expect([isInHand(after), needsPolls(after)], where).toEqual([true, true]);
      }
    }
  }
});

const ASKED = ['deferred', 'cancelling'] as const;
const OFFERED = ['offered', ...ASKED] as const;
/** The diagram's text for each event, an example of the event, and the phases in which it happens: by default all but `idle`. */
const EVENTS: [text: string, event: InterruptEvent, at?: Partial<Moment>, from?: readonly Phase[]][] = [
  ['a request begins', begin, {}, ['idle']],
  ['CPython asks, after a press', poll, { press: EPOCH }],
  ['a blocking call ends, after a press', { type: 'take' }, { press: EPOCH }],
  ['the loop turns, after a press', turn, { press: EPOCH }, ['running', 'raised']],
  ['the loop turns', turn],
  ['on_idle: wait', { type: 'answer', answer: 'wait' }, {}, ASKED],
  ['on_idle: defer', { type: 'answer', answer: 'defer' }, {}, ASKED],
  ['on_idle: drop', { type: 'answer', answer: 'drop' }, {}, ASKED],
  ['outcome: raised', { type: 'raised' }, {}, OFFERED],
  ['outcome: thrown', { type: 'thrown' }, {}, OFFERED],
  ['outcome: deferred', { type: 'deferred' }, {}, [...OFFERED, 'raised']],
  ['outcome: seen', { type: 'seen' }],
  ['outcome: lost', { type: 'lost' }],
];
const END = { type: 'end', epoch: EPOCH } as const;

/** The transitions between phases, as text. */
function diagram(): string {
  const arrow = (from: string, text: string, to: string): string =>
    `${from.padEnd(12)}── ${`${text} `.padEnd(37, '─')}▶ ${to}`;
  const lines = PHASES.flatMap(phase =>
    EVENTS.filter(([, , , from]) => from?.includes(phase) ?? phase !== 'idle')
      .map(([text, event, at]) => [text, react(state(phase), event, moment(at)).state.phase])
      .filter(([, to]) => to !== phase)
      .map(([text, to], i) => arrow(i ? '' : phase, text, to)),
  );
  const ends = new Set(PHASES.map(phase => react(state(phase), END, moment()).state.phase));
  return [...lines, ...[...ends].map(to => arrow('every phase', 'the request ends', to))].join('\n');
}

describe('the page on Stop', () => {
  const page = readFileSync('../docs/explanation/stop.md', 'utf8');

  it('shows each transition, and no other', () => {
    const shown = /^```text\n(idle .*?)\n```$/ms.exec(page)?.[1];
    expect(shown).toBe(diagram());
  });

  it('explains each phase', () => {
    const explained = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(match => match[1]);
    expect(explained).toEqual(PHASES);
  });
});
