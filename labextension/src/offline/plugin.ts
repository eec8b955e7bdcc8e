/** The plugin that keeps an offline copy of the site, where the site's author wants one. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette, Notification, showDialog } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { IKernelSpecs } from '@jupyterlite/services';

import { addCommand } from '../lab_commands';
import { followSettings, showSettings, siteSettings } from '../results/plugin_settings';
import { forgetSaid, noteSaid } from '../said';
import { StatusItem } from '../status_item';
import { OfflineCopy } from './copy';
import { FillError, type FillCode } from './fill';
import { afterFirstKernel } from './idle';
import { failureText, stateText, statusTexts } from './words';

const PLUGIN_ID = 'jupyterlite-browsergrad:offline';
const SETTING = 'keepOfflineCopy';
const SHOW_COPY = 'browsergrad:show-offline-copy';
const KEEP_COPY = 'browsergrad:keep-offline-copy';
const REMOVE_COPY = 'browsergrad:remove-offline-copy';
/** Ms for which the notice of a new version stays. */
const NOTICE_MS = 10_000;
/** Where it is kept what was said of a copy that cannot be made, so that not each visit says it again. */
const SAID_KEY = 'browsergrad:offline-said';

const offline: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Keeps a copy of the site in the browser, so that it opens without a network.',
  autoStart: true,
  optional: [IKernelSpecs, ICommandPalette, ISettingRegistry, IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    specs: IKernelSpecs | null,
    palette: ICommandPalette | null,
    registry: ISettingRegistry | null,
    statusBar: IStatusBar | null,
    translator: ITranslator | null,
  ) => {
    const isOffered = specs !== null && siteSettings(PLUGIN_ID).offlineCopy === true;
    if (registry) {
      showSettings(registry, PLUGIN_ID, isOffered);
    }
    if (!specs) {
      return; // JupyterLab on a server
    }
    const base = new URL(PageConfig.getBaseUrl(), location.href).href;
    const isIsolating = document.querySelector('script[src$="static/browsergrad/isolate.js"]') !== null;
    const copy = new OfflineCopy(base, isIsolating);
    if (!isOffered) {
      void copy.remove(false).catch(() => undefined); // of an earlier build of this site
      return;
    }
    const trans = (translator ?? nullTranslator).load('jupyterlite_browsergrad');
    const keeper = new Keeper(app, copy, registry, trans);
    keeper.addCommands(palette);
    if (statusBar) {
      showState(copy, statusBar, trans, () => void app.commands.execute(SHOW_COPY));
    }
    void keeper.begin();
  },
};

/** Keeps or removes the copy as the user's setting says, and says what matters. */
class Keeper {
  private isWanted: boolean | null = null;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly copy: OfflineCopy,
    private readonly registry: ISettingRegistry | null,
    private readonly trans: TranslationBundle,
  ) {}

  async begin(): Promise<void> {
    const { registry } = this;
    const apply = (isWanted: boolean): void => {
      if (isWanted !== this.isWanted) {
        this.isWanted = isWanted;
        void (isWanted ? this.keep() : this.copy.remove(true).catch(() => undefined));
      }
    };
    // The setting belongs to the user, who may have switched the copy off in this browser.
    if (
      !registry ||
      !(await followSettings(registry, PLUGIN_ID, 'the offline copy', it => apply(it[SETTING] === true)))
    ) {
      apply(true);
    }
    window.addEventListener('online', () => {
      if (this.isWanted && this.copy.state.kind === 'failed') {
        void this.keep();
      }
    });
  }

  addCommands(palette: ICommandPalette | null): void {
    const { app, copy, trans } = this;
    const place = { app, palette, trans };
    addCommand(place, SHOW_COPY, {
      label: trans.__('Offline Copy…'),
      caption: trans.__('Show whether this site works without a network'),
      execute: () => this.show(),
    });
    addCommand(place, KEEP_COPY, {
      label: trans.__('Keep an Offline Copy'),
      caption: trans.__('Fetch all files of this site, so that it works without a network'),
      isEnabled: () => copy.state.kind === 'off' || copy.state.kind === 'failed',
      execute: () => (this.isWanted ? this.keep() : this.want(true)),
    });
    addCommand(place, REMOVE_COPY, {
      label: trans.__('Remove Offline Copy'),
      caption: trans.__('Delete the copy of this site in this browser, and keep none from now on'),
      isEnabled: () => copy.state.kind !== 'off',
      execute: () => this.want(false),
    });
    copy.changed.connect(() => [KEEP_COPY, REMOVE_COPY].forEach(id => app.commands.notifyCommandChanged(id)));
  }

  private async keep(): Promise<void> {
    const { app, copy, trans } = this;
    await app.restored;
    await afterFirstKernel();
    if (!this.isWanted) {
      return;
    }
    try {
      const filled = await copy.keep();
      if (filled?.whole) {
        forgetSaid(SAID_KEY);
      }
      if (filled?.isUpdate) {
        const text = trans.__('A new version of this site is ready: it opens with the next visit.');
        Notification.info(text, { autoClose: NOTICE_MS });
      }
    } catch (error) {
      if (error instanceof FillError) {
        console.warn('[browsergrad] no offline copy:', error.message);
        this.tell(error.code);
      }
    }
  }

  /** Says once in this browser why there is no copy. A network that fails is no news. */
  private tell(code: FillCode): void {
    if (code !== 'network' && noteSaid(SAID_KEY, code) !== code) {
      Notification.info(failureText(code, this.trans), { autoClose: NOTICE_MS });
    }
  }

  /** Changes the user's setting. */
  private async want(isWanted: boolean): Promise<void> {
    if (isWanted && (await navigator.storage?.persisted?.()) === false) {
      await navigator.storage.persist().catch(() => false); // Firefox asks its user, who has just chosen this
    }
    await this.registry?.set(PLUGIN_ID, SETTING, isWanted);
  }

  private async show(): Promise<void> {
    const { copy, trans } = this;
    const isOff = copy.state.kind === 'off';
    const change = isOff
      ? Dialog.okButton({ label: trans.__('Keep an Offline Copy') })
      : Dialog.warnButton({ label: trans.__('Remove Offline Copy') });
    const { button } = await showDialog({
      title: trans.__('Offline Copy'),
      body: stateText(copy.state, trans),
      buttons: [Dialog.cancelButton({ label: trans.__('Close') }), change],
      defaultButton: 0, // Enter deletes nothing
    });
    if (button.accept) {
      await this.want(isOff);
    }
  }
}

/** Shows the state in the status bar. */
function showState(copy: OfflineCopy, statusBar: IStatusBar, trans: TranslationBundle, onClick: () => void): void {
  const item = new StatusItem('jp-browsergrad-offline', onClick);
  const update = (): void => item.say(...statusTexts(copy.state, trans));
  copy.changed.connect(update);
  update();
  item.addTo(statusBar, 6);
}

export default [offline];
