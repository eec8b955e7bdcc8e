/** Text and bytes that Python and C code write, as they are posted. */
import { describe, expect, it } from 'vitest';

import { Control, type FromWorker, type StreamChunk } from '../../src/runtime/protocol';
import { OutputBuffer } from '../../src/runtime/worker/output';

function make(): { output: OutputBuffer; messages: FromWorker[]; posted: () => [string, string, string][] } {
  const messages: FromWorker[] = [];
  const output = new OutputBuffer(
    message => void messages.push(message),
    () => new Int32Array(64),
    false,
  );
  const posted = (): [string, string, string][] => {
    const chunks: StreamChunk[] = messages.flatMap(message => (message.type === 'streams' ? message.chunks : []));
    const joined: [string, string, string][] = [];
    for (const { name, text, parent } of chunks) {
      const last = joined.at(-1);
      if (last?.[0] === name && last[2] === parent) {
        last[1] += text;
      } else {
        joined.push([name, text, parent]);
      }
    }
    return joined;
  };
  return { output, messages, posted };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('bytes of descriptors', () => {
  it('become text, in whatever pieces they come', () => {
    const { output, posted } = make();
    bytes('aé€😀').forEach(byte => output.writeBytes('stdout', new Uint8Array([byte])));
    output.endRequest();
    expect(posted()).toEqual([['stdout', 'aé€😀', '{}']]);
  });

  it('keep their place among texts and the other stream', () => {
    const { output, posted } = make();
    output.write('stdout', 'a');
    output.writeBytes('stderr', bytes('b'));
    output.writeBytes('stdout', bytes('c'));
    output.write('stdout', 'd');
    output.endRequest();
    expect(posted().map(([name, text]) => [name, text])).toEqual([
      ['stdout', 'a'],
      ['stderr', 'b'],
      ['stdout', 'cd'],
    ]);
  });

  it('that begin a character are shown before what follows, and at the end of a request', () => {
    const { output, posted } = make();
    output.writeBytes('stdout', new Uint8Array([0xe2, 0x82]));
    output.write('stdout', 'x');
    output.writeBytes('stderr', new Uint8Array([0xc3]));
    output.endRequest();
    output.endRequest();
    expect(posted().map(([name, text]) => [name, text])).toEqual([
      ['stdout', '\ufffdx'],
      ['stderr', '\ufffd'],
    ]);
  });

  it('belong to the newest request, also while another one’s task writes', () => {
    const { output, posted } = make();
    output.setParent('"one"', true);
    output.setParent('"two"', true);
    output.setParent('"one"');
    output.write('stdout', 'late');
    output.writeBytes('stdout', bytes('now'));
    output.endRequest();
    expect(posted()).toEqual([
      ['stdout', 'late', '"one"'],
      ['stdout', 'now', '"two"'],
    ]);
  });
});

describe('a writer', () => {
  const LONG = 'x'.repeat(1 << 20);

  function acknowledged(): { output: OutputBuffer; take: (bytes: number) => void; count: () => number } {
    const control = new Int32Array(64);
    let messages = 0;
    const output = new OutputBuffer(
      () => void messages++,
      () => control,
      true,
    );
    const take = (taken: number): void => {
      control[Control.OutputTaken] = taken;
    };
    return { output, take, count: () => messages };
  }

  it('waits for nothing after one long text and the end of its line', () => {
    const { output, count } = acknowledged();
    expect([output.write('stdout', LONG), output.write('stdout', '\n')]).toEqual([false, false]);
    output.endRequest();
    expect(count()).toBe(2);
  });

  it('waits once it has posted more than the page has shown, until the page has shown it', () => {
    const { output, take } = acknowledged();
    expect([output.write('stdout', LONG), output.write('stdout', LONG)]).toEqual([false, true]);
    expect(output.hasRoom()).toBe(false);
    take(2 * LONG.length);
    expect(output.hasRoom()).toBe(true);
    expect(output.write('stdout', LONG)).toBe(false);
  });

  it('keeps little in flight, however short its texts are', () => {
    const { output } = acknowledged();
    let written = 0;
    while (!output.write('stdout', 'x'.repeat(999) + '\n')) {
      written += 1000;
    }
    expect(written).toBeLessThan(200_000);
  });
});

it('a long text comes in parts of whole characters', () => {
  const { output, messages, posted } = make();
  const text = `x${'😀'.repeat(1 << 20)}`;
  output.write('stdout', 'before');
  output.write('stdout', text);
  output.write('stderr', 'after');
  output.endRequest();
  expect(posted()).toEqual([
    ['stdout', `before${text}`, '{}'],
    ['stderr', 'after', '{}'],
  ]);
  const lengths = messages.map(message => (message.type === 'streams' ? message.bytes : -1));
  expect(lengths.reduce((sum, length) => sum + length)).toBe(text.length + 'beforeafter'.length);
  expect(Math.max(...lengths)).toBe(1 << 20);
  for (const message of messages) {
    expect(JSON.stringify(message)).not.toMatch(/\\u[dD][89abAB]/); // as a lone surrogate is written
  }
});
