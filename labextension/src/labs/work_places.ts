/**
 * What a lab's toolbar shows of the copies of its notebook. Another plugin knows where they are.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

/** Where the copies of a notebook are. */
export interface WorkPlace {
  /** Empty if the notebook holds no work. */
  label: string;
  /** More about it, in sentences: what this browser does with its storage. */
  about: string;
  /** Whether its present state is in no copy outside the browser. */
  isOnlyHere: boolean;
}

export interface IWorkPlaces {
  /** Emits a notebook whose place is known anew. */
  readonly changed: ISignal<unknown, NotebookPanel>;
  /** Returns what is known of a notebook. */
  of(panel: NotebookPanel): WorkPlace | null;
}

/** Absent in apps without notebooks and on servers, which keep files themselves. */
export const IWorkPlaces = new Token<IWorkPlaces | null>(
  'jupyterlite-browsergrad:IWorkPlaces',
  'Where the copies of notebooks are.',
);
