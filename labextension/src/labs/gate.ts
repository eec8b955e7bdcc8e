/**
 * Decides what a notebook is: ordinary, part of a lab that was checked, or refused. If that is not certain, it is refused.
 */
import { PathExt } from '@jupyterlab/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';

import {
  isSemverCompatible,
  LabRuntimeMismatch,
  manifestErrorText,
  parseManifest,
  pathProblem,
  type LabManifest,
  type ManifestError,
} from '../runtime/manifest';
import { AnswerCache } from './answer_cache';

export const MANIFEST_NAME = 'manifest.json';
/** The `ename` of a cell that is refused. */
const REFUSAL_NAME = 'LabRuntimeMismatch';
/** Ms to wait for a manifest before it counts as unreadable. */
const READ_MS = 30_000;

/** The files that a gate reads. Paths are those of the contents manager. */
export interface LabFiles {
  /**
   * Returns the file's bytes, or null if there is certainly no such file.
   *
   * @throws if that is not certain.
   */
  read(path: string, signal: AbortSignal): Promise<Uint8Array | null>;
  /** Returns `browsergrad` of a saved notebook's metadata; undefined if it has none, or there is no such file. */
  metadata(notebook: string, signal: AbortSignal): Promise<unknown>;
  /** Returns `browsergrad` of an open notebook's metadata; undefined if the notebook is not open. */
  openMetadata(notebook: string): { value: unknown } | undefined;
}

export interface CheckedLab {
  /** Path of the manifest. Paths in the manifest are relative to the manifest's folder. */
  path: string;
  manifest: LabManifest;
}

export interface Refusal {
  /** Path of the manifest. */
  path: string;
  /** What went wrong, for people. */
  message: string;
  /** All errors in the manifest; empty for other causes. */
  errors: ManifestError[];
}

export type Verdict = { kind: 'ordinary' } | { kind: 'lab'; lab: CheckedLab } | { kind: 'refused'; refusal: Refusal };

type ReadManifest = { manifest: LabManifest } | { errors: ManifestError[] } | null;

export class LabGate {
  private readonly manifests: AnswerCache<ReadManifest>;
  private readonly named: AnswerCache<unknown>;
  private readonly changedSignal = new Signal<this, void>(this);

  constructor(
    private readonly files: LabFiles,
    /** Version of the runtime. */
    private readonly version: string,
    private readonly readMs = READ_MS,
  ) {
    this.manifests = new AnswerCache(path => this.readManifest(path));
    this.named = new AnswerCache(notebook => this.inTime(notebook, signal => files.metadata(notebook, signal)));
  }

  /** Emitted when an earlier verdict may be out of date. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  /** Decides what the notebook (or console) at `path` is now. Never rejects. */
  async check(path: string): Promise<Verdict> {
    let manifestPath = besideFile(path, MANIFEST_NAME);
    try {
      const named = manifestNamed(await this.metadata(path));
      if (named !== null) {
        manifestPath = named.problem === null ? besideFile(path, named.path) : path;
        if (named.problem !== null) {
          const message = `the notebook's metadata browsergrad.manifest ${named.problem}`;
          return refused(manifestPath, message);
        }
      }
      const read = await this.manifests.get(manifestPath);
      if (read === null) {
        return named === null
          ? { kind: 'ordinary' }
          : refused(manifestPath, `the notebook names the lab manifest ${manifestPath}, which does not exist`);
      }
      return this.judge(manifestPath, read);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return refused(
        manifestPath,
        `whether this notebook belongs to a lab could not be found out, so nothing runs: ${why}`,
      );
    }
  }

  /** Returns the verdict for notebooks that share a kernel: if one is refused, all are. */
  async checkAll(paths: readonly string[]): Promise<Verdict> {
    const verdicts = await Promise.all(paths.map(path => this.check(path)));
    return (
      verdicts.find(({ kind }) => kind === 'refused') ??
      verdicts.find(({ kind }) => kind === 'lab') ?? { kind: 'ordinary' }
    );
  }

  /** The file or folder at `path` has been made, changed or deleted. */
  fileChanged(path: string): void {
    const touched = (key: string): boolean => key === path || key.startsWith(`${path}/`);
    const manifests = this.manifests.forget(touched);
    if (this.named.forget(touched) || manifests) {
      this.changedSignal.emit();
    }
  }

  /** Anything may have changed. */
  forget(): void {
    this.manifests.forget(() => true);
    this.named.forget(() => true);
    this.changedSignal.emit();
  }

  private async metadata(notebook: string): Promise<unknown> {
    const open = this.files.openMetadata(notebook);
    if (open) {
      return open.value;
    }
    return notebook.endsWith('.ipynb') ? this.named.get(notebook) : undefined;
  }

  private judge(path: string, read: Exclude<ReadManifest, null>): Verdict {
    if ('errors' in read) {
      const lines = read.errors.map(manifestErrorText);
      const message = `the lab manifest ${path} is invalid:\n${lines.join('\n')}`;
      return { kind: 'refused', refusal: { path, message, errors: read.errors } };
    }
    const { manifest } = read;
    if (!isSemverCompatible(manifest.requires_browsergrad, this.version)) {
      return refused(path, new LabRuntimeMismatch(manifest.requires_browsergrad, this.version).message);
    }
    return { kind: 'lab', lab: { path, manifest } };
  }

  private async readManifest(path: string): Promise<ReadManifest> {
    const bytes = await this.inTime(path, signal => this.files.read(path, signal));
    if (bytes === null) {
      return null;
    }
    let text: string;
    try {
      // A byte order mark is not JSON; Python agrees.
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return { errors: [{ path: '', code: 'json', message: 'is not JSON: it is not UTF-8' }] };
    }
    const result = parseManifest(text);
    return result.ok ? { manifest: result.manifest } : { errors: result.details };
  }

  private inTime<T>(path: string, read: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${path} did not come within ${this.readMs / 1000} s`));
        abort.abort();
      }, this.readMs);
      void read(abort.signal)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  }
}

/** Returns the reply to a refused cell. */
export function refusalContent({ message }: Refusal): { ename: string; evalue: string } {
  return { ename: REFUSAL_NAME, evalue: message };
}

function refused(path: string, message: string): Verdict {
  return { kind: 'refused', refusal: { path, message, errors: [] } };
}

/** Returns the path of `name` in the folder of `path`, on the same drive. */
export function besideFile(path: string, name: string): string {
  return path.replace(/^((?:[^/:]*:)?(?:.*\/)?)[^/]*$/, (_, folder: string) => folder + name);
}

/** Returns the manifest that a notebook's metadata `browsergrad` names; null if it names none. */
function manifestNamed(metadata: unknown): { path: string; problem: null } | { path: null; problem: string } | null {
  if (typeof metadata !== 'object' || metadata === null || !('manifest' in metadata)) {
    return null;
  }
  const { manifest } = metadata;
  if (typeof manifest !== 'string') {
    return { path: null, problem: 'must be a string' };
  }
  const problem = pathProblem(manifest);
  return problem === null
    ? { path: PathExt.normalize(manifest), problem }
    : { path: null, problem: `${problem}; it must be a path inside the notebook's folder` };
}
