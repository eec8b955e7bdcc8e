/** Check my work: one silent request, whose answer is read as carefully as a notebook of others. */
import type { Kernel } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it, vi } from 'vitest';

import { CheckFailed, runRubric } from '../../src/labs/rubric';
import { ASSERTIONS_MIME } from '../../src/runtime/events';

const trans = nullTranslator.load('x');
const CONTENT = { assertions: [{ kind: 'pass', name: 'a' }], counts: { pass: 1, fail: 0, error: 0 } };

function kernel(content: object) {
  const requestExecute = vi.fn(
    (_content: { code: string; user_expressions: { result: string } }, _dispose: boolean) => ({
      done: Promise.resolve({ content }),
    }),
  );
  return { connection: { requestExecute } as unknown as Kernel.IKernelConnection, requestExecute };
}
const answered = (result: unknown) => ({ status: 'ok', user_expressions: { result } });
const check = (content: object) => runRubric(kernel(content).connection, 'x', 'rubric.py', trans);

describe('a rubric', () => {
  it('runs silently, as an expression, whatever characters it has', async () => {
    const { connection, requestExecute } = kernel(answered({ status: 'ok', data: { [ASSERTIONS_MIME]: CONTENT } }));
    const rubric = 'assert "é" == \'\\n\'\n"""x"""';
    expect(await runRubric(connection, rubric, 'rubric.py', trans)).toEqual(CONTENT);
    const [content, disposes] = requestExecute.mock.calls[0];
    expect(content).toMatchObject({ code: '', silent: true, store_history: false, allow_stdin: false });
    expect(disposes).toBe(true);
    const call = /check_my_work\((.*), "rubric\.py"\)$/s.exec(content.user_expressions.result)!;
    expect(JSON.parse(call[1])).toBe(rubric);
    expect(content.user_expressions.result).not.toContain('\n');
  });

  it.each([
    [{ status: 'error', ename: 'LabRuntimeMismatch', evalue: 'no' }, 'LabRuntimeMismatch: no'],
    [{ status: 'aborted' }, 'the check was cancelled'],
    [answered({ status: 'error', ename: 'KeyboardInterrupt', evalue: '' }), 'the check was interrupted'],
    [answered({ status: 'error', ename: 'SyntaxError', evalue: 'bad' }), 'SyntaxError: bad'],
    [answered(undefined), 'the kernel did not answer'],
    [answered({ status: 'ok', data: {} }), 'holds no assertions'],
    [answered({ status: 'ok', data: { [ASSERTIONS_MIME]: { assertions: [7], counts: {} } } }), 'holds no assertions'],
  ])('that could not be run says why: %j', async (content, message) => {
    await expect(check(content)).rejects.toThrow(CheckFailed);
    await expect(check(content)).rejects.toThrow(message);
  });
});
