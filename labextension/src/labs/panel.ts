/**
 * Shows in a notebook which lab it belongs to, or why no cell runs.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DisposableSet, type IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import type { Verdict } from './gate';
import { guardConnection } from './connection_guard';
import type { LabServices } from './lab_services';

/** Adds to the toolbar of a notebook what its lab needs. */
export type AddToolbar = (panel: NotebookPanel, lab: { id: string; version: string }) => IDisposable;

export class LabPanel implements IDisposable {
  /** The last verdict on the notebook. */
  verdict: Verdict | null = null;
  private shown = new DisposableSet();
  private shownKey = '';
  /** The refusal that a dialog has shown. */
  private told = '';
  private checks = 0;
  private readonly changedSignal = new Signal<this, void>(this);

  constructor(
    readonly panel: NotebookPanel,
    private readonly services: LabServices,
    private readonly addToolbar: AddToolbar,
    /** Whether a kernel of that name refuses cells itself. */
    private readonly refusesItself: (kernelName: string) => boolean,
    private readonly trans: TranslationBundle,
  ) {
    const { context, sessionContext } = panel;
    this.guard();
    sessionContext.kernelChanged.connect(this.guard, this);
    sessionContext.sessionChanged.connect(this.guard, this);
    services.gate.changed.connect(this.update, this);
    context.pathChanged.connect(this.update, this);
    panel.disposed.connect(this.dispose, this);
    void context.ready.then(() => {
      panel.model?.metadataChanged.connect(this.update, this);
      this.update();
    });
  }

  get isDisposed(): boolean {
    return this.panel.isDisposed;
  }

  /** Emitted when the verdict has changed. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  dispose(): void {
    this.shown.dispose();
    Signal.clearData(this);
  }

  /** Asks the gate, and shows its verdict. */
  update(): void {
    void this.check();
  }

  async check(): Promise<Verdict> {
    const number = ++this.checks;
    const verdict = await this.services.gate.check(this.panel.context.path);
    if (number === this.checks && !this.isDisposed) {
      this.show(verdict);
    }
    return verdict;
  }

  private guard(): void {
    const kernel = this.panel.sessionContext.session?.kernel;
    if (kernel && !this.refusesItself(kernel.name)) {
      guardConnection(kernel, () => this.check());
    }
  }

  private show(verdict: Verdict): void {
    const key = JSON.stringify(verdict);
    if (key === this.shownKey) {
      return;
    }
    this.shownKey = key;
    this.verdict = verdict;
    this.shown.dispose();
    this.shown = new DisposableSet();
    if (verdict.kind === 'lab') {
      this.shown.add(this.addToolbar(this.panel, verdict.lab.manifest));
      if (this.services.isSite) {
        // Cells wait for datasets. A failure is reported where datasets are loaded.
        void this.services.datasets.load(verdict.lab);
      }
    } else if (verdict.kind === 'refused') {
      this.showRefusal(verdict.refusal.message);
    }
    this.changedSignal.emit();
  }

  private showRefusal(message: string): void {
    const banner = new Widget({ node: document.createElement('div') });
    banner.addClass('bg-LabBanner');
    banner.node.setAttribute('role', 'alert');
    banner.node.style.cssText =
      'padding: 8px 12px; white-space: pre-wrap; overflow: auto; max-height: 12em; ' +
      'font-size: var(--jp-ui-font-size1); color: var(--jp-ui-font-color1); ' +
      'border-bottom: 1px solid var(--jp-error-color1); border-left: 6px solid var(--jp-error-color1); ' +
      'background: var(--jp-layout-color2)';
    const title = this.trans.__('This lab does not run here');
    const strong = document.createElement('strong');
    strong.textContent = `${title}. `;
    banner.node.append(strong, message);
    this.panel.contentHeader.addWidget(banner);
    this.shown.add(banner);
    if (this.told !== message) {
      this.told = message;
      const body = new Widget({ node: document.createElement('div') });
      body.node.style.whiteSpace = 'pre-wrap';
      body.node.textContent = message;
      void showDialog({ title, body, buttons: [Dialog.okButton()] });
    }
  }
}
