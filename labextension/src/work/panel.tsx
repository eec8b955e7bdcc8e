/**
 * The side panel *History*: the versions of the front notebook, and notebooks that are gone.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { countsText } from '../renderers/assertions';
import { visible } from '../renderers/dom';
import type { WorkPlace } from '../labs/work_places';
import { Button } from '../results/button';
import { PanelHead } from '../results/panel_head';
import type { KeptDocument, VersionId, VersionInfo } from './history';
import type { Work } from './work';
import { changedText, kindText, noHistoryText, sizeText, timeText } from './words';

/** Versions that are read at first, and with each *Show more*. */
const STEP = 30;
/** Ms between two renderings. */
const INTERVAL_MS = 300;

/** What the panel's buttons do. */
export interface HistoryActions {
  compare(panel: NotebookPanel, version: VersionId): Promise<void>;
  restore(panel: NotebookPanel, version: VersionId): Promise<void>;
  bringBack(document: KeptDocument): Promise<void>;
  /** Returns notebooks of the history that are not in JupyterLite's storage. */
  missing(): Promise<KeptDocument[]>;
}

/** What the panel has about copies outside the browser. */
export interface CopiesOutside {
  place(panel: NotebookPanel): WorkPlace | null;
  /** Downloads the work in the front notebook's folder. */
  download(): void;
  /** Opens what was downloaded. */
  open(): void;
}

interface Shown {
  path: string | null;
  ids: VersionId[];
  infos: (VersionInfo | null)[];
  bytes: number;
  missing: KeptDocument[];
}

export class HistoryPanel extends ReactWidget {
  private shown: Shown = { path: null, ids: [], infos: [], bytes: 0, missing: [] };
  private wanted = STEP;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly known = new Map<string, VersionInfo | null>();

  constructor(
    private readonly work: Work,
    private readonly tracker: INotebookTracker,
    private readonly actions: HistoryActions,
    private readonly outside: CopiesOutside,
    private readonly back: () => void,
    private readonly trans: TranslationBundle,
  ) {
    super();
    this.addClass('bg-panel');
    this.addClass('bg-history');
    work.changed.connect(this.later, this);
    tracker.currentChanged.connect(() => {
      this.wanted = STEP;
      this.later();
    });
  }

  override dispose(): void {
    clearTimeout(this.timer);
    super.dispose();
  }

  protected override onAfterShow(_message: Message): void {
    void this.refresh();
  }

  protected override render(): React.JSX.Element {
    const { trans, shown, work, tracker } = this;
    const { state, problem } = work;
    const panel = tracker.currentWidget;
    return (
      <React.Fragment>
        <PanelHead title={trans.__('History')} back={this.back} trans={trans} />
        <p role="status">
          {state.kind === 'none'
            ? noHistoryText(state.error, trans)
            : problem
              ? trans.__('The last version could not be kept: %1', problem.message)
              : trans.__(
                  'Versions are kept in this browser, apart from the notebooks: %1.',
                  sizeText(shown.bytes, trans),
                )}
        </p>
        {panel && <Outside {...this.outside} place={this.outside.place(panel)} trans={trans} />}
        {panel && shown.path === panel.context.path && (
          <>
            <h3>
              <bdi>{visible(shown.path, 200)}</bdi>
            </h3>
            <ol className="bg-panel-list bg-versions" aria-label={trans.__('Versions')}>
              {shown.infos.map((info, i) => (
                <Version
                  key={shown.ids[i].name}
                  info={info}
                  isCurrent={i === 0}
                  trans={trans}
                  compare={() => void this.actions.compare(panel, shown.ids[i])}
                  restore={() => void this.actions.restore(panel, shown.ids[i])}
                />
              ))}
            </ol>
            {shown.infos.length < shown.ids.length && (
              <Button
                onClick={() => {
                  this.wanted += STEP;
                  void this.refresh();
                }}
              >
                {trans.__('Show more (%1 left)', shown.ids.length - shown.infos.length)}
              </Button>
            )}
          </>
        )}
        {shown.missing.length > 0 && (
          <>
            <h3>{trans.__('Not in the file browser')}</h3>
            <ul aria-label={trans.__('Not in the file browser')}>
              {shown.missing.map(one => (
                <li key={one.document}>
                  <bdi>{visible(one.path, 200)}</bdi>{' '}
                  <Button onClick={() => void this.actions.bringBack(one)}>{trans.__('Bring back')}</Button>
                </li>
              ))}
            </ul>
          </>
        )}
      </React.Fragment>
    );
  }

  /** Renders what may have changed, soon. */
  later(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.refresh();
    }, INTERVAL_MS);
  }

  /** Reads what is shown. */
  private async refresh(): Promise<void> {
    const { state } = this.work;
    if (!this.isVisible) {
      return;
    }
    if (state.kind === 'open') {
      const path = this.tracker.currentWidget?.context.path ?? null;
      const ids = path === null ? [] : await state.history.versions(path);
      if (ids.length) {
        this.known.delete(keyOf(ids[0])); // the newest one may get results
      }
      const infos = await Promise.all(ids.slice(0, this.wanted).map(id => this.info(id)));
      this.shown = { path, ids, infos, bytes: await state.history.bytes(), missing: await this.actions.missing() };
    }
    this.update();
  }

  private async info(id: VersionId): Promise<VersionInfo | null> {
    const key = keyOf(id);
    if (!this.known.has(key) && this.work.state.kind === 'open') {
      this.known.set(key, await this.work.state.history.info(id));
    }
    return this.known.get(key) ?? null;
  }
}

function keyOf({ document, name }: VersionId): string {
  return `${document}/${name}`;
}

interface OutsideProps extends Pick<CopiesOutside, 'download' | 'open'> {
  place: WorkPlace | null;
  trans: TranslationBundle;
}

function Outside({ place, download, open, trans }: OutsideProps): React.JSX.Element {
  return (
    <section className="bg-outside" aria-label={trans.__('Copies outside this browser')}>
      {place?.label && (
        <p>
          <strong>{place.label}</strong> {place.about}
        </p>
      )}
      <Button onClick={download}>{trans.__('Download my work')}</Button>
      <Button onClick={open}>{trans.__('Open my work…')}</Button>
      <p className="bg-hint bg-drop-hint">{trans.__('You can also drop a downloaded file here.')}</p>
    </section>
  );
}

interface VersionProps {
  info: VersionInfo | null;
  isCurrent: boolean;
  trans: TranslationBundle;
  compare(): void;
  restore(): void;
}

function Version({ info, isCurrent, trans, compare, restore }: VersionProps): React.JSX.Element {
  if (!info) {
    return <li>{trans.__('A version that is damaged')}</li>;
  }
  const time = timeText(info.time);
  return (
    <li>
      <div>
        <time dateTime={new Date(info.time).toISOString()}>{time}</time>
        {' · '}
        {isCurrent ? trans.__('%1 (latest)', kindText(info, trans)) : kindText(info, trans)}
      </div>
      <div className="bg-hint">
        {changedText(info, trans)}
        {info.counts && ` · ${countsText(info.counts, trans)}`}
      </div>
      <div>
        <Button aria-label={trans.__('Compare the version of %1 with the notebook', time)} onClick={compare}>
          {trans.__('Compare')}
        </Button>
        <Button aria-label={trans.__('Restore the version of %1', time)} onClick={restore}>
          {trans.__('Restore')}
        </Button>
      </div>
    </li>
  );
}
