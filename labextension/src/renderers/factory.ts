/**
 * Renderer factories for both MIME types, ranked above `text/html` and `application/json`.
 */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { ARTIFACT_MIME, ASSERTIONS_MIME, readArtifact, readAssertions } from '../mime';
import { artifactView } from './artifact';
import { assertionsView } from './assertions';
import { element } from './dom';

/** JupyterLab's JSON viewer has rank 0. */
const RANK = -10;

/** What a renderer needs of its application. */
export interface Surroundings {
  trans: TranslationBundle;
  /** Brings the cell around an output into view; null where the output is in no notebook. */
  cellOf(output: HTMLElement): (() => void) | null;
}

class Rendered extends Widget implements IRenderMime.IRenderer {
  private disposals: (() => void)[] = [];

  constructor(
    private readonly mimeType: string,
    private readonly around: Surroundings,
  ) {
    super();
    this.addClass('bg-output');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.clear();
    this.node.replaceChildren(this.view(model.data[this.mimeType]));
  }

  override dispose(): void {
    this.clear();
    super.dispose();
  }

  private clear(): void {
    this.disposals.splice(0).forEach(dispose => dispose());
  }

  private view(data: unknown): HTMLElement {
    const { trans } = this.around;
    if (this.mimeType === ASSERTIONS_MIME) {
      const content = readAssertions(data);
      if (content) {
        const goToCell = (): void => this.around.cellOf(this.node)?.();
        return assertionsView(content, trans, goToCell);
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
    // Nothing of the data runs, so untrusted notebooks show it as well.
    safe: true,
    mimeTypes: [mimeType],
    defaultRank: RANK,
    createRenderer: () => new Rendered(mimeType, around),
  }));
}
