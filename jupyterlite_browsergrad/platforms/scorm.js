/**
 * The page between a learning platform and a lab: it shows the lab in a frame, and tells the platform, by the SCORM run-time, how
 * much of *Check my work* has passed. The best result counts; a later one that is worse changes nothing.
 *
 * What a browser reports is under the student's control. Grade what is handed in where that matters.
 */

/** Windows that are looked through, at most, as SCORM says. */
const MOST_WINDOWS = 500;

const NAMES = {
  1.2: { object: 'API', prefix: 'LMS', begin: 'LMSInitialize', end: 'LMSFinish' },
  2004: { object: 'API_1484_11', prefix: '', begin: 'Initialize', end: 'Terminate' },
};

/** The platform's run-time: in one of the windows around this one, or around the one that opened it; null where there is none. */
export function findApi(start, version) {
  const { object } = NAMES[version];
  for (const from of [start, start.opener]) {
    let here = from;
    for (let count = 0; here && count < MOST_WINDOWS; count++) {
      try {
        if (here[object]) {
          return here[object];
        }
      } catch {
        break; // a window of another origin: what is around it cannot be seen either
      }
      if (here.parent === here) {
        break;
      }
      here = here.parent;
    }
  }
  return null;
}

/**
 * What *Check my work* found, from the results that the lab posts: percent, and whether all passed. Null before the first check.
 *
 * Points count where checks have some, else each check as one.
 */
export function scoreOf(results) {
  const groups = results.groups.filter(group => !group.cell_id);
  const sum = read => groups.reduce((total, group) => total + read(group), 0);
  const failed = sum(({ counts }) => counts.fail + counts.error);
  const passed = sum(({ counts }) => counts.pass);
  if (passed + failed === 0) {
    return null;
  }
  const possible = sum(({ points }) => points?.possible ?? 0);
  const part = possible > 0 ? sum(({ points }) => points?.earned ?? 0) / possible : passed / (passed + failed);
  return { percent: Math.round(Math.min(Math.max(part, 0), 1) * 10000) / 100, complete: failed === 0 };
}

/** Seconds as SCORM 1.2 writes them: `0001:02:03`. */
function clock(seconds) {
  const two = value => String(Math.floor(value)).padStart(2, '0');
  const hours = String(Math.min(Math.floor(seconds / 3600), 9999)).padStart(4, '0');
  return `${hours}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}`;
}

/** One attempt at a lab. */
export class Attempt {
  constructor(api, version, now = () => Date.now()) {
    this.api = api;
    this.version = version;
    this.names = NAMES[version];
    this.now = now;
    this.began = now();
    this.best = -1;
    this.isComplete = false;
    this.isOpen = false;
  }

  /** Begin; false where the platform refuses. */
  start() {
    this.isOpen = String(this.api[this.names.begin]('')) === 'true';
    if (!this.isOpen) {
      return false;
    }
    const before = Number.parseFloat(this.get(this.path('score.raw')));
    this.best = Number.isFinite(before) ? before : -1;
    const status = this.get(this.version === '1.2' ? 'cmi.core.lesson_status' : 'cmi.completion_status');
    this.isComplete = ['passed', 'completed'].includes(status);
    if (!this.isComplete) {
      this.status('incomplete');
      this.commit();
    }
    return true;
  }

  /** Report a score, if it is the best so far. */
  report({ percent, complete }) {
    if (!this.isOpen || percent < this.best || (percent === this.best && (this.isComplete || !complete))) {
      return;
    }
    this.best = percent;
    this.set(this.path('score.min'), '0');
    this.set(this.path('score.max'), '100');
    this.set(this.path('score.raw'), String(percent));
    if (this.version === '2004') {
      this.set('cmi.score.scaled', String(percent / 100));
    }
    if (complete) {
      this.isComplete = true;
      this.status('passed');
    }
    this.commit();
  }

  /** End, with the time it took. */
  finish() {
    if (!this.isOpen) {
      return;
    }
    const seconds = (this.now() - this.began) / 1000;
    this.set(this.path('session_time'), this.version === '1.2' ? clock(seconds) : `PT${seconds.toFixed(2)}S`);
    this.set(this.path('exit'), this.isComplete ? (this.version === '1.2' ? '' : 'normal') : 'suspend');
    this.commit();
    this.isOpen = false;
    this.api[this.names.end]('');
  }

  /** Where a value is in the version's data model. */
  path(name) {
    return `cmi.${this.version === '1.2' ? 'core.' : ''}${name}`;
  }

  status(value) {
    if (this.version === '1.2') {
      this.set('cmi.core.lesson_status', value);
    } else {
      this.set('cmi.completion_status', value === 'passed' ? 'completed' : value);
      this.set('cmi.success_status', value === 'passed' ? 'passed' : 'unknown');
    }
  }

  get(name) {
    return String(this.api[`${this.names.prefix}GetValue`](name));
  }

  set(name, value) {
    this.api[`${this.names.prefix}SetValue`](name, value);
  }

  commit() {
    this.api[`${this.names.prefix}Commit`]('');
  }
}

/** Show the lab in `frame`, and report what it posts; `say` tells the student. */
export function launch(view, frame, say, { version, notebook, address }) {
  const api = findApi(view, version);
  const attempt = api && new Attempt(api, version);
  if (!attempt?.start()) {
    say('Your course does not take results of this page. The lab works all the same; hand in your notebook as a file.');
  }
  view.addEventListener('message', ({ source, origin, data }) => {
    const mine = source === frame.contentWindow && origin === view.location.origin;
    if (!mine || data?.type !== 'browsergrad:results' || data.version !== 1 || data.results?.path !== notebook) {
      return;
    }
    const score = scoreOf(data.results);
    if (score && attempt?.isOpen) {
      attempt.report(score);
      say(`Reported to your course: ${attempt.best} of 100.`);
    }
  });
  view.addEventListener('pagehide', () => attempt?.finish());
  frame.src = address;
  return attempt;
}
