/**
 * Shows in a notebook's toolbar which lab it belongs to: a badge and buttons; or why no cell runs.
 */
import { CommandToolbarButton, Dialog, showDialog } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { DisposableDelegate, DisposableSet, type IDisposable } from '@lumino/disposable';
import { MessageLoop } from '@lumino/messaging';
import { Signal, type ISignal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import type { Verdict } from './gate';
import { guardConnection } from './connection_guard';
import type { LabServices } from './lab_services';

/** A little longer than JupyterLab's toolbar waits between two arrangements, in ms. */
const DEAF_MS = 600;
/** The longest pause, in ms, before a toolbar is asked again to arrange itself. In a very narrow window it may never fit. */
const MAX_PAUSE_MS = 10_000;

export interface LabButton {
  command: string;
  name: string;
}

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
    private readonly commands: CommandRegistry,
    private readonly buttons: readonly LabButton[],
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
      this.showLab(verdict.lab.manifest);
      if (this.services.isSite) {
        // Cells wait for datasets. A failure is reported where datasets are loaded.
        void this.services.datasets.load(verdict.lab);
      }
    } else if (verdict.kind === 'refused') {
      this.showRefusal(verdict.refusal.message);
    }
    this.changedSignal.emit();
  }

  private showLab({ id, version }: { id: string; version: string }): void {
    const badge = new Widget({ node: document.createElement('div') });
    badge.addClass('bg-LabBadge');
    badge.node.title = this.trans.__('This notebook belongs to the lab %1, version %2', id, version);
    const label = document.createElement('span');
    label.textContent = `${id} ${version}`;
    label.style.cssText =
      'margin: auto 6px; padding: 1px 8px; border-radius: 8px; white-space: nowrap; line-height: 1.5; ' +
      'font-size: var(--jp-ui-font-size0); color: var(--jp-ui-inverse-font-color1); background: var(--jp-brand-color1)';
    badge.node.append(label);
    const { toolbar } = this.panel;
    const widgets: [string, Widget][] = [['browsergrad-lab', badge]];
    for (const { command, name } of this.buttons) {
      widgets.push([name, new CommandToolbarButton({ commands: this.commands, id: command })]);
    }
    let after = 'cellType';
    for (const [name, widget] of widgets) {
      if (!toolbar.insertAfter(after, name, widget)) {
        toolbar.addItem(name, widget);
      }
      after = name;
      this.shown.add(widget);
    }
    this.shown.add(arrangeUntilTheyFit(toolbar));
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

/**
 * Makes a toolbar arrange its items until they fit, whenever the size of an item changes.
 *
 * JupyterLab's toolbar measures new items before they are rendered, ignores changes of their sizes, and drops a call that comes
 * while it arranges items or within half a second. Without this, items would cover the notebook.
 */
function arrangeUntilTheyFit(toolbar: Widget): IDisposable {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arrange = (pause: number): void => {
    const { offsetWidth, offsetHeight } = toolbar.node;
    if (toolbar.isVisible) {
      MessageLoop.sendMessage(toolbar, new Widget.ResizeMessage(offsetWidth, offsetHeight));
    }
    timer = setTimeout(() => {
      if (hasItemsOutside(toolbar.node)) {
        arrange(Math.min(pause * 1.2, MAX_PAUSE_MS));
      }
    }, pause);
  };
  const observer = new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(arrange, DEAF_MS, DEAF_MS);
  });
  for (const item of toolbar.node.children) {
    observer.observe(item);
  }
  return new DisposableDelegate(() => {
    clearTimeout(timer);
    observer.disconnect();
  });
}

function hasItemsOutside(bar: HTMLElement): boolean {
  const { bottom, right } = bar.getBoundingClientRect();
  return [...bar.children].some(item => {
    const box = item.getBoundingClientRect();
    return box.width > 0 && (box.bottom > bottom + 1 || box.right > right + 1);
  });
}
