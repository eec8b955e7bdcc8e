/**
 * Finds out why packages could not be loaded. Pyodide only says "failed to fetch".
 */
import { isPage, originOf } from '../assets';
import { errorText } from '../errors';
import { INTERRUPTED } from './abortable_loads';
import { canonicalName } from './load_order';

/** Longest wait for the server when it is asked for the reason, ms. */
const ASK_MS = 5000;

export class PackageProblems {
  /** @param packages The distribution's lock, by normalised names. */
  constructor(
    private readonly indexURL: string,
    private readonly packages: Record<string, unknown>,
  ) {}

  /**
   * Says what is wrong: the packages' names and addresses, and the server's answer.
   *
   * @param said - Pyodide's message.
   */
  async explain(names: Iterable<string>, said: string): Promise<string> {
    const all = [...names];
    const general = `${all.join(', ') || 'packages'} could not be loaded: ${said}`;
    if (said.includes(INTERRUPTED)) {
      return general;
    }
    const reasons = await Promise.all(all.map(name => this.problemOf(name)));
    const found = reasons.filter(reason => reason !== null);
    return found.length ? `${all.join(', ')} could not be loaded: ${found.join('; ')}` : general;
  }

  /** What is wrong with the package's file; null if that is unknown. */
  private async problemOf(name: string): Promise<string | null> {
    const entry = this.packages[canonicalName(name)] as { file_name?: unknown; packs?: unknown } | undefined;
    if (!entry) {
      const lock = `${this.indexURL}pyodide-lock.json`;
      return `${lock} names no package ${name}: ${originOf(lock).packages}`;
    }
    if (typeof entry.file_name !== 'string' || entry.packs) {
      return null; // errors of packs name the file
    }
    const url = new URL(entry.file_name, this.indexURL).href;
    const why = await this.answerFor(url);
    const { place, packages } = originOf(url);
    return why === null ? null : `${url} is missing${place} (${why}): ${packages}`;
  }

  /** Why the server does not send a file; null when it does. */
  private async answerFor(url: string): Promise<string | null> {
    try {
      const { ok, status, headers, body } = await fetch(url, {
        cache: 'no-cache',
        signal: AbortSignal.timeout(ASK_MS),
      });
      await body?.cancel();
      if (ok && !isPage(headers.get('content-type'))) {
        return null;
      }
      return ok ? 'the server sends a web page in its place' : `HTTP ${status}`;
    } catch (error) {
      return errorText(error);
    }
  }
}
