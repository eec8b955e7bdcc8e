/** The messages that the host in Deno passes on to the Python process. */
import { describe, expect, it } from 'vitest';

import type { DriveAnswer, JupyterMessage } from '../../src/runtime/protocol';
import { PipedDrive } from '../../src/server/piped_drive';
import { OutputLimit } from '../../src/server/output_limit';

function message(type: string, channel: JupyterMessage['channel'] = 'iopub', parent = 'any'): JupyterMessage {
  const header = { msg_id: 'm', msg_type: type, session: '', username: '', date: '', version: '' };
  return { channel, header, parent_header: { msg_id: parent }, metadata: {}, content: {} };
}

describe('OutputLimit', () => {
  function limit(): { atWork: string; ended: number; limit: OutputLimit } {
    const state = { atWork: 'one', ended: 0 } as { atWork: string; ended: number; limit: OutputLimit };
    state.limit = new OutputLimit(
      1000,
      5000,
      () => state.atWork,
      () => state.ended++,
    );
    return state;
  }

  it.each(['stream', 'display_data', 'clear_output', 'comm_msg', 'status', 'input_request', 'made_up'])(
    'counts a message of type %s, whatever request it names',
    type => {
      const state = limit();
      const verdicts = Array.from({ length: 5 }, (_, i) => state.limit.judge(message(type, 'iopub', `${i}`), 300));
      expect(verdicts.slice(0, 3)).toEqual(['pass', 'pass', 'pass']);
      expect(state.ended).toBe(2);
      expect(verdicts[3]).toBe(type === 'status' ? 'pass' : 'drop');
    },
  );

  it('drops a long message even of a type that ends a request', () => {
    const state = limit();
    expect(state.limit.judge(message('error'), 1_000_000)).toBe('drop');
    expect(state.ended).toBe(1);
  });

  it('lets one reply pass, and replaces one that is too long', () => {
    const state = limit();
    expect(state.limit.judge(message('execute_reply', 'shell'), 4000)).toBe('pass');
    expect(state.limit.judge(message('execute_reply', 'shell'), 100_000)).toBe('drop');
    state.atWork = 'two';
    expect(state.limit.judge(message('execute_reply', 'shell'), 5001)).toBe('long reply');
  });

  it('begins anew with the next request, and not while nothing is at work', () => {
    const state = limit();
    expect(state.limit.judge(message('stream'), 900)).toBe('pass');
    state.atWork = '';
    expect(state.limit.judge(message('stream'), 900)).toBe('drop');
    state.atWork = 'two';
    expect(state.limit.judge(message('stream'), 900)).toBe('pass');
    expect(state.limit.passes(200)).toBe(false);
  });
});

describe('PipedDrive', () => {
  interface Sent {
    type: string;
    id: number;
    [name: string]: unknown;
  }

  function drive(): { sent: Sent[]; exceeded: number; drive: PipedDrive } {
    const state = { sent: [], exceeded: 0 } as unknown as { sent: Sent[]; exceeded: number; drive: PipedDrive };
    state.drive = new PipedDrive(
      frame => state.sent.push(frame as Sent),
      100,
      () => state.exceeded++,
    );
    return state;
  }

  const ok: DriveAnswer = { ok: true, value: 1 };
  const get = (path: string): object => ({ method: 'get', path });

  it('asks one thing at a time and lets the last one that waits follow', async () => {
    const state = drive();
    const first = state.drive.request(get('a'));
    const given = state.drive.request(get('b'));
    const last = state.drive.request(get('c'));
    expect(await given).toMatchObject({ ok: false, errno: 'EBUSY' });
    expect(state.sent.map(frame => frame.path)).toEqual(['a']);
    state.drive.answer(state.sent[0].id, ok, []);
    expect(await first).toEqual(ok);
    expect(state.sent.map(frame => frame.path)).toEqual(['a', 'c']);
    state.drive.answer(99, ok, []);
    state.drive.answer(state.sent[1].id, { ok: true, value: null }, [new Uint8Array([7])]);
    expect(await last).toEqual({ ok: true, value: { data: new Uint8Array([7]) } });
  });

  it('says so when too many are made at once, and holds none of them', async () => {
    const state = drive();
    const answers = Array.from({ length: 600 }, (_, i) => state.drive.request(get(`${i}`)));
    expect(state.exceeded).toBeGreaterThan(0);
    expect(state.sent).toHaveLength(1);
    expect(await answers[300]).toMatchObject({ ok: false });
  });

  it.each([
    [undefined, 'EINVAL'],
    [null, 'EINVAL'],
    [7, 'EINVAL'],
    [{ method: 'get' }, 'EINVAL'],
    [{ method: {}, path: 'a' }, 'EINVAL'],
    [{ method: 'get', path: 'a/'.repeat(1e6) }, 'ENAMETOOLONG'],
    [{ method: 'rename', path: 'a', data: { newPath: 'a/'.repeat(1e6) } }, 'ENAMETOOLONG'],
    [{ method: 'put', path: 'a', data: { data: new Uint8Array(101) } }, 'EFBIG'],
  ])('refuses %j by itself', async (request, errno) => {
    const state = drive();
    expect(await state.drive.request(request)).toMatchObject({ ok: false, errno });
    expect(state.sent).toEqual([]);
  });

  it('hands on no field but those of a request', () => {
    const state = drive();
    void state.drive.request({
      method: 'put',
      path: 'a',
      data: { type: 'ready', id: 7, mode: '1', data: 'text', more: 1 },
    });
    expect(state.sent).toEqual([
      { type: 'drive', id: 1, method: 'put', path: 'a', mode: undefined, newPath: undefined },
    ]);
  });
});
