import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { closeRight } from '../shell_sides';
import { Button } from './button';

export function backToNotebook(shell: JupyterFrontEnd.IShell, tracker: INotebookTracker): void {
  closeRight(shell);
  tracker.currentWidget?.activate();
}

interface PanelHeadProps {
  title: string;
  back(): void;
  trans: TranslationBundle;
}

/** The heading of a side panel, with a button back to the notebook where the panel covers it. */
export function PanelHead({ title, back, trans }: PanelHeadProps): React.JSX.Element {
  return (
    <div className="bg-panel-head">
      <h2>{title}</h2>
      <Button className="bg-button bg-back" onClick={back}>
        {trans.__('Back to the notebook')}
      </Button>
    </div>
  );
}
