import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';

import { BadKey, makeHandIn, withoutRepeats, type HandInAbout } from '../../src/work/hand_in';

const ABOUT: HandInAbout = {
  notebook: 'lab.ipynb',
  folder: 'lab',
  lab: { id: 'adding', version: '1.0.0' },
  runtime: '1.0.0',
  results: {},
  checks: [{ time: '2026', pass: 1, fail: 0, error: 0 }],
  made_at: '2026',
};
const FILES = [{ path: 'lab.ipynb', data: new TextEncoder().encode('{}') }];

describe('a hand-in file', () => {
  it('is a zip file with the list and the files', async () => {
    const entries = unzipSync(await makeHandIn(FILES, ABOUT, ''));
    expect(Object.keys(entries)).toEqual(['browsergrad-hand-in.json', 'files/lab.ipynb']);
    const list = JSON.parse(new TextDecoder().decode(entries['browsergrad-hand-in.json']));
    const hash = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';
    expect(list).toEqual({
      format: 'browsergrad-hand-in',
      format_version: 1,
      ...ABOUT,
      files: [{ path: 'lab.ipynb', size: 2, sha256: hash }],
    });
  });

  it('can be read by the owner of the key alone', async () => {
    const identity = await generateIdentity();
    const data = await makeHandIn(FILES, ABOUT, await identityToRecipient(identity));
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    expect(Object.keys(unzipSync(await decrypter.decrypt(data)))).toHaveLength(2);
    const stranger = new Decrypter();
    stranger.addIdentity(await generateIdentity());
    await expect(stranger.decrypt(data)).rejects.toThrow();
  });

  it.each(['age1', 'age1foo', 'AGE-SECRET-KEY-1QQQ', 'ssh-ed25519 AAAA', 'text'])(
    'is not made for %s, which is not a key',
    async key => {
      await expect(makeHandIn(FILES, ABOUT, key)).rejects.toThrow(BadKey);
    },
  );
});

it('repeated counts are left out', () => {
  const at = (time: string, pass: number) => ({ time, pass, fail: 0, error: 0 });
  expect(withoutRepeats([at('1', 0), at('2', 0), at('3', 1), at('4', 0)]).map(({ time }) => time)).toEqual([
    '1',
    '3',
    '4',
  ]);
});
