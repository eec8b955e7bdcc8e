/** Every request gets busy, one reply and idle, whatever part of it Python has sent. */
import type { KernelMessage } from '@jupyterlab/services';
import { describe, expect, it, vi } from 'vitest';

import { FrontEnd } from '../../src/kernel/front_end';
import { OpenRequest } from '../../src/kernel/open_request';
import type { JupyterMessage } from '../../src/runtime/protocol';

function make(msg_type = 'execute_request', content: object = {}) {
  const sent: string[] = [];
  const onClosed = vi.fn();
  const frontEnd = new FrontEnd({
    sendMessage: message => {
      const { execution_state, status = '', ename = '' } = message.content as Record<string, string>;
      sent.push(
        `${message.channel} ${message.header.msg_type} ${execution_state ?? `${status}${ename && ` ${ename}`}`}`,
      );
    },
  });
  const message = { channel: 'shell', header: { msg_id: 'm', msg_type, session: 's' }, content };
  const request = new OpenRequest(message as KernelMessage.IMessage, frontEnd, onClosed);
  return { onClosed, request, sent };
}

const part = (channel: string, msg_type: string, content: object): JupyterMessage =>
  ({ channel, header: { msg_id: 'part', msg_type }, parent_header: {}, content }) as JupyterMessage;
const status = (execution_state: string): JupyterMessage => part('iopub', 'status', { execution_state });

describe('an answer', () => {
  it('has busy, reply and idle, and is given once', () => {
    const { onClosed, request, sent } = make();
    request.reply({ status: 'ok' });
    request.reply({ status: 'error' });
    request.abort();
    expect(sent).toEqual(['iopub status busy', 'shell execute_reply ok', 'iopub status idle']);
    expect(onClosed.mock.calls).toEqual([[request]]);
  });

  it('lacks only what Python has not sent', () => {
    const { request, sent } = make();
    expect([request.note(status('busy')), request.note(part('shell', 'execute_reply', { status: 'ok' }))]).toEqual([
      false,
      true,
    ]);
    expect(request.lacksReply).toBe(false);
    request.reply({ status: 'error' });
    expect(sent).toEqual(['iopub status idle']);
  });

  it('shows an error in a cell, and only there', () => {
    const cell = make();
    cell.request.fail('KernelError', 'broken', 3);
    expect(cell.sent).toEqual([
      'iopub status busy',
      'iopub error  KernelError',
      'shell execute_reply error KernelError',
      'iopub status idle',
    ]);
    const other = make('inspect_request');
    other.request.fail('KernelError', 'broken', 3);
    expect(other.sent[1]).toBe('shell inspect_reply error KernelError');
  });

  it('has no reply where none is due', () => {
    const { request, sent } = make('comm_msg');
    expect(request.lacksReply).toBe(false);
    request.reply({ status: 'ok' });
    expect(sent).toEqual(['iopub status busy', 'iopub status idle']);
  });
});

describe('a request', () => {
  it.each([
    ['execute_request', {}, true, false, true],
    ['execute_request', { stop_on_error: false }, true, false, false],
    ['complete_request', {}, false, true, false],
    ['kernel_info_request', {}, false, false, false],
  ])('%s %j is known by its type', (type, content, isCell, isCompletion, stopsOnError) => {
    const { request } = make(type, content);
    expect([request.isCell, request.isCompletion, request.stopsOnError]).toEqual([isCell, isCompletion, stopsOnError]);
  });

  it('takes a line only for the prompt that it waits on', () => {
    const { request } = make();
    const line = (value: unknown, msg_id?: string) =>
      ({ parent_header: { msg_id }, content: { value } }) as unknown as KernelMessage.IMessage;
    expect(request.takeInput(line('early'))).toBeNull();
    request.note(part('stdin', 'input_request', { prompt: '' }));
    expect(request.takeInput(line('other', 'another'))).toBeNull();
    expect(request.takeInput(line('mine', 'part'))).toBe('mine');
    expect(request.takeInput(line('again', 'part'))).toBeNull();
    request.note(part('stdin', 'input_request', { prompt: '' }));
    expect(request.takeInput(line(7))).toBe('');
  });

  it('that the host has ended shows why, in place of the interrupt', () => {
    const { request, sent } = make();
    const error = part('iopub', 'error', { ename: 'KeyboardInterrupt', evalue: '', traceback: [] });
    request.replaceInterrupt(error);
    expect(error.content.ename).toBe('KeyboardInterrupt');
    request.ended = { ename: 'OutputLimitError', evalue: 'too much' };
    request.replaceInterrupt(error);
    expect(error.content).toEqual({
      ename: 'OutputLimitError',
      evalue: 'too much',
      traceback: ['OutputLimitError: too much'],
    });
    const reply = part('shell', 'execute_reply', { status: 'ok' });
    request.replaceInterrupt(reply);
    expect([sent, reply.content.ename]).toEqual([['iopub error  OutputLimitError'], 'OutputLimitError']);
  });
});

describe('the front end', () => {
  it('gets messages under a session it knows', () => {
    const sessions: string[] = [];
    const frontEnd = new FrontEnd({ sendMessage: message => void sessions.push(message.header.session) });
    frontEnd.hear('a');
    frontEnd.hear('b');
    frontEnd.publish('iopub', 'status', {}, { session: 'a' });
    frontEnd.publish('iopub', 'status', {}, { session: 'unknown' });
    frontEnd.publish('iopub', 'status', {}, {});
    expect(sessions).toEqual(['a', 'b', 'b']);
  });

  it('gets nothing once it was closed, and a message that cannot be sent is logged', () => {
    const onLog = vi.fn();
    const sendMessage = vi.fn(() => {
      throw new Error('no JSON');
    });
    const frontEnd = new FrontEnd({ sendMessage, onLog });
    frontEnd.publish('iopub', 'stream', {}, {});
    expect(onLog).toHaveBeenCalledWith('error', 'stream was not sent: no JSON');
    frontEnd.close();
    frontEnd.publish('iopub', 'stream', {}, {});
    expect(sendMessage).toHaveBeenCalledTimes(1);
  });
});
