/**
 * Renderer factories for both MIME types, ranked above `text/html` and `application/json`.
 */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import {
  ARTIFACT_MIME,
  ASSERTIONS_MIME,
  readArtifact,
  readAssertions,
  type AssertionsContent,
} from '../runtime/events';
import { artifactView } from './artifact';
import { AssertionsView } from './assertions';
import { element } from './dom';

/** JupyterLab's JSON viewer has rank 0. */
const RANK = -10;

/** What a renderer needs from its application. */
export interface Surroundings {
  trans: TranslationBundle;
  /** Returns a function that shows the cell of an output; null if the output is not in a notebook. */
  cellOf(output: HTMLElement): (() => void) | null;
}

class Rendered extends Widget implements IRenderMime.IRenderer {
  private disposals: (() => void)[] = [];
  /** The view of assertions, if they are shown. Updates of a running cell change it instead of replacing it. */
  private assertions: AssertionsView | null = null;

  constructor(
    private readonly mimeType: string,
    private readonly around: Surroundings,
  ) {
    super();
    this.addClass('bg-output');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const content = this.mimeType === ASSERTIONS_MIME ? readAssertions(model.data[this.mimeType]) : null;
    if (content && this.assertions?.update(content)) {
      return;
    }
    this.clear();
    this.node.replaceChildren(this.view(model.data[this.mimeType], content));
  }

  override dispose(): void {
    this.clear();
    super.dispose();
  }

  private clear(): void {
    this.assertions = null;
    this.disposals.splice(0).forEach(dispose => dispose());
  }

  private view(data: unknown, content: AssertionsContent | null): HTMLElement {
    const { trans } = this.around;
    if (this.mimeType === ASSERTIONS_MIME) {
      if (content) {
        const view = new AssertionsView(trans, () => this.around.cellOf(this.node)?.());
        view.update(content);
        this.assertions = view;
        this.disposals.push(() => view.stop());
        return view.node;
      }
    } else {
      const artifact = readArtifact(data);
      if (artifact) {
        return artifactView(artifact, trans, dispose => this.disposals.push(dispose));
      }
    }
    return element(
      'p',
      'bg-message',
      trans.__('This output does not follow %1 and cannot be shown: run the cell again.', this.mimeType),
    );
  }
}

export function factories(around: Surroundings): IRenderMime.IRendererFactory[] {
  return [ASSERTIONS_MIME, ARTIFACT_MIME].map(mimeType => ({
    // None of the data is run, so it is safe in untrusted notebooks too.
    safe: true,
    mimeTypes: [mimeType],
    defaultRank: RANK,
    createRenderer: () => new Rendered(mimeType, around),
  }));
}
