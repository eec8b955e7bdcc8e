// @vitest-environment happy-dom
/** The page between a learning platform and a lab, against a SCORM run-time. */
import { Scorm12API, Scorm2004API } from 'scorm-again';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Attempt, findApi, launch, scoreOf } from '../../../jupyterlite_browsergrad/platforms/scorm.js';

const counts = (pass: number, fail = 0, error = 0) => ({ pass, fail, error });
const half = { groups: [{ counts: counts(1, 1), points: { earned: 2.5, possible: 5 } }] };
const whole = { groups: [{ counts: counts(2), points: { earned: 5, possible: 5 } }] };

/** A platform's run-time that stays on this page, with the values that it was given. */
function platform(version: '1.2' | '2004') {
  const settings = { autocommit: false, logLevel: 5, lmsCommitUrl: false };
  const api = version === '1.2' ? new Scorm12API(settings) : new Scorm2004API(settings);
  const call = api as unknown as Record<string, (name: string) => string>;
  const value = version === '1.2' ? 'LMSGetValue' : 'GetValue';
  const error = version === '1.2' ? 'LMSGetLastError' : 'GetLastError';
  return { api, read: (name: string) => call[value](name), failed: () => call[error]('') };
}

describe('the score', () => {
  it.each([
    [half, { percent: 50, complete: false }],
    [whole, { percent: 100, complete: true }],
    [{ groups: [{ counts: counts(1, 1, 1) }] }, { percent: 33.33, complete: false }],
    // Checks in the student's own cells are not a part of the lab's result.
    [{ groups: [...half.groups, { cell_id: 'a', counts: counts(9) }] }, { percent: 50, complete: false }],
    [{ groups: [{ cell_id: 'a', counts: counts(9) }] }, null],
    [{ groups: [] }, null],
    [{ groups: [{ counts: counts(0) }] }, null],
    [{ groups: [{ counts: counts(1, 1), points: { earned: 9, possible: 5 } }] }, { percent: 100, complete: false }],
  ])('of %j is %j', (results, score) => expect(scoreOf(results)).toEqual(score));
});

describe('SCORM 1.2', () => {
  it('gets status, the best score and the time', () => {
    const { api, read, failed } = platform('1.2');
    let now = 0;
    const attempt = new Attempt(api, '1.2', () => now);
    expect(attempt.start()).toBe(true);
    expect(read('cmi.core.lesson_status')).toBe('incomplete');
    attempt.report({ percent: 50, complete: false });
    expect([read('cmi.core.score.raw'), read('cmi.core.score.max'), read('cmi.core.lesson_status')]).toEqual([
      '50',
      '100',
      'incomplete',
    ]);
    attempt.report({ percent: 100, complete: true });
    attempt.report({ percent: 20, complete: false });
    expect([read('cmi.core.score.raw'), read('cmi.core.lesson_status'), failed()]).toEqual(['100', 'passed', '0']);
    const set = vi.spyOn(api as unknown as { LMSSetValue(name: string, value: string): string }, 'LMSSetValue');
    now = 3_723_000;
    attempt.finish();
    attempt.finish();
    expect(set.mock.calls).toContainEqual(['cmi.core.session_time', '0001:02:03']);
    expect(set.mock.results.map(({ value }) => String(value))).toEqual(['true', 'true']);
    expect([api.isTerminated(), failed()]).toEqual([true, '0']);
  });
});

describe('SCORM 2004', () => {
  it('gets completion, success, the best score and the time', () => {
    const { api, read, failed } = platform('2004');
    let now = 0;
    const attempt = new Attempt(api, '2004', () => now);
    expect(attempt.start()).toBe(true);
    attempt.report({ percent: 50, complete: false });
    expect([read('cmi.completion_status'), read('cmi.score.scaled')]).toEqual(['incomplete', '0.5']);
    attempt.report({ percent: 100, complete: true });
    attempt.report({ percent: 50, complete: false });
    expect(
      ['completion_status', 'success_status', 'score.raw', 'score.scaled'].map(name => read(`cmi.${name}`)),
    ).toEqual(['completed', 'passed', '100', '1']);
    expect(failed()).toBe('0');
    const set = vi.spyOn(api as unknown as { SetValue(name: string, value: string): string }, 'SetValue');
    now = 90_500;
    attempt.finish();
    expect(set.mock.calls).toEqual([
      ['cmi.session_time', 'PT90.50S'],
      ['cmi.exit', 'normal'],
    ]);
    expect(set.mock.results.map(({ value }) => String(value))).toEqual(['true', 'true']);
    expect(api.isTerminated()).toBe(true);
  });
});

describe('a later attempt', () => {
  it.each(['1.2', '2004'] as const)('does not lose what an earlier one reached: %s', version => {
    const { api, read } = platform(version);
    const core = version === '1.2' ? 'cmi.core.' : 'cmi.';
    const status = version === '1.2' ? `${core}lesson_status` : 'cmi.completion_status';
    const before =
      version === '1.2'
        ? { lesson_status: 'passed', score: { raw: '80' } }
        : { completion_status: 'completed', score: { raw: '80' } };
    api.loadFromJSON(version === '1.2' ? { core: before } : before, version === '1.2' ? 'cmi' : 'cmi');
    const attempt = new Attempt(api, version);
    attempt.start();
    attempt.report({ percent: 30, complete: false });
    expect([read(`${core}score.raw`), read(status)]).toEqual(['80', version === '1.2' ? 'passed' : 'completed']);
  });
});

describe('the run-time', () => {
  it('is found in windows around this one, and around the one that opened it', () => {
    const outer: Record<string, unknown> = { API: 'of 1.2', API_1484_11: 'of 2004' };
    outer.parent = outer;
    const inner: Record<string, unknown> = { parent: { parent: outer } };
    expect([findApi(inner, '1.2'), findApi(inner, '2004')]).toEqual(['of 1.2', 'of 2004']);
    const alone: Record<string, unknown> = { opener: inner };
    alone.parent = alone;
    expect(findApi(alone, '1.2')).toBe('of 1.2');
    const strange = Object.defineProperty({}, 'API', {
      get() {
        throw new DOMException('of another origin', 'SecurityError');
      },
    });
    expect(findApi({ parent: strange, opener: null }, '1.2')).toBeNull();
  });
});

describe('the page', () => {
  const options = { version: '1.2', notebook: 'a/b.ipynb', address: 'notebooks/index.html?path=a%2Fb.ipynb' } as const;
  let said: string[];
  let view: EventTarget & Record<string, unknown>;
  let frame: { contentWindow: object; src: string };
  beforeEach(() => {
    said = [];
    view = Object.assign(new EventTarget() as EventTarget & Record<string, unknown>, {
      location: { origin: 'https://s' },
    });
    view.parent = view;
    frame = { contentWindow: {}, src: '' };
  });
  const post = (more: object, results: object = half) => {
    const data = { type: 'browsergrad:results', version: 1, results: { path: 'a/b.ipynb', ...results } };
    view.dispatchEvent(
      Object.assign(new Event('message'), { source: frame.contentWindow, origin: 'https://s', data, ...more }),
    );
  };

  it('reports what the lab in its frame posts, and nothing that comes from elsewhere', () => {
    const { api, read } = platform('1.2');
    view.API = api;
    launch(view, frame, text => said.push(text), options);
    expect(frame.src).toBe(options.address);
    post({ source: {} }, whole);
    post({ origin: 'https://other' }, whole);
    post({ data: { type: 'other' } });
    post({ data: null });
    post({}, { ...whole, path: 'other.ipynb' });
    expect(read('cmi.core.score.raw')).toBe('');
    post({});
    expect([read('cmi.core.score.raw'), said]).toEqual(['50', ['Reported to your course: 50 of 100.']]);
    view.dispatchEvent(new Event('pagehide'));
    expect(api.isTerminated()).toBe(true);
    post({}, whole);
    expect(said.length).toBe(1);
  });

  it('shows the lab where there is no platform, and says that nothing is reported', () => {
    launch(view, frame, text => said.push(text), options);
    post({}, whole);
    expect([frame.src, said.length]).toEqual([options.address, 1]);
    expect(said[0]).toContain('does not take results');
  });
});
