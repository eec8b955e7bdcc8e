/**
 * Runs a lab's rubric in the notebook's kernel, against the student's names.
 */
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { ASSERTIONS_MIME, readAssertions, type AssertionsContent } from '../runtime/events';

/** The rubric could not be run. */
export class CheckFailed extends Error {}

/**
 * Runs the rubric as an expression of a silent request, so that nothing appears in the notebook.
 *
 * @param rubric - text of the rubric.
 * @param fileName - the rubric's name in tracebacks.
 * @throws CheckFailed
 */
export async function runRubric(
  kernel: Kernel.IKernelConnection,
  rubric: string,
  fileName: string,
  trans: TranslationBundle,
): Promise<AssertionsContent> {
  // A JSON string without lone surrogates is also a Python string. Decoded text has none.
  const call = [rubric, fileName].map(text => JSON.stringify(text)).join(', ');
  const module = '__import__("browsergrad.hosting", fromlist=["check_my_work"])';
  const future = kernel.requestExecute(
    {
      code: '',
      silent: true,
      store_history: false,
      allow_stdin: false,
      stop_on_error: false,
      user_expressions: { result: `${module}.check_my_work(${call})` },
    },
    true,
  );
  const { content } = await future.done;
  if (content.status !== 'ok') {
    const { ename, evalue } = content as { ename?: string; evalue?: string };
    throw new CheckFailed(ename ? `${ename}: ${evalue}` : trans.__('the check was cancelled'));
  }
  const result = content.user_expressions.result as
    | { status: 'ok'; data: Record<string, unknown> }
    | { status: 'error'; ename: string; evalue: string }
    | undefined;
  if (result?.status !== 'ok') {
    throw new CheckFailed(
      result?.ename === 'KeyboardInterrupt'
        ? trans.__('the check was interrupted')
        : result
          ? `${result.ename}: ${result.evalue}`
          : trans.__('the kernel did not answer'),
    );
  }
  const found = readAssertions(result.data[ASSERTIONS_MIME]);
  if (!found) {
    throw new CheckFailed(trans.__('the kernel’s answer holds no assertions'));
  }
  return found;
}
