/**
 * Registers the renderers. JupyterLab, Notebook 7 and JupyterLite have the same registry.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { goToCell } from '../go_to_cell';
import { factories } from './factory';

const renderers: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlite-browsergrad:renderers',
  description: 'Shows assertions, logs, JSON and images of the module browsergrad.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [ITranslator, INotebookTracker],
  activate: (
    _app: JupyterFrontEnd,
    registry: IRenderMimeRegistry,
    translator: ITranslator | null,
    tracker: INotebookTracker | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyterlite_browsergrad');
    const cellOf = (output: HTMLElement): (() => void) | null => {
      const panel = tracker?.find(one => one.node.contains(output));
      const cell = panel?.content.widgets.find(one => one.node.contains(output));
      return panel && cell ? () => void goToCell(panel, cell.model.id) : null;
    };
    factories({ trans, cellOf }).forEach(factory => registry.addFactory(factory));
  },
};

export default [renderers];
