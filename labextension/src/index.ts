/**
 * The plugins. They take tokens and register things; everything else is in other files.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { IKernelClient, IKernelSpecs } from '@jupyterlite/services';

import { ExpectedImports, savesData } from './kernel/expected_imports';
import type { BrowsergradKernel } from './kernel/kernel';
import { removeSocketDelay } from './kernel/socket_delay';
import type { KernelSettings } from './kernel/create';
import { hookInterrupt } from './kernel/interrupt_hook';
import { Limits, notebookTimeout } from './kernel/limits';
import { LOGO_URL } from './kernel/logo';
import { announcePrompt, closePrompts, prepareAnnouncements } from './kernel/prompts';
import { nameSessionsByPath } from './kernel/session_names';
import type { PrewarmChoice } from './kernel/spare';
import { warnOfMissingDrive } from './kernel/no_drive';
import { useMemoryIfRefused, warnOfRefusedStorage } from './kernel/refused_storage';
import { kernelsChanged, showStatus } from './kernel/status';
import { kernelGate, pathsOf } from './labs/kernel_gate';
import { labServices } from './labs/lab_services';
import labs from './labs/plugin';
import { kernelAnswered } from './offline/idle';
import offline from './offline/plugin';
import { keepServiceWorkers } from './offline/registration';
import renderers from './renderers/plugin';
import results from './results/plugin';
import transfers from './transfers/plugin';
import { followSettings, siteSettings } from './results/plugin_settings';
import work from './work/plugin';

/** Id of the plugin and key of its site settings. */
const PLUGIN_ID = 'jupyterlite-browsergrad:kernel';
const EXPECTED_ID = 'jupyterlite-browsergrad:expected-imports';
const STOP_ID = 'jupyterlite-browsergrad:stop';

// JupyterLite loads all extensions before it activates any plugin.
const storesNothing = useMemoryIfRefused();
keepServiceWorkers();

/** Our running kernels, by id. */
const kernels = new Map<string, BrowsergradKernel>();
/** Tells kernels what their notebooks import; null where that is switched off. */
let expected: ExpectedImports | null = null;
/** Set when the kernel is registered. */
let limits: Limits | null = null;
/** The user's setting for a spare Python. */
let prewarm: PrewarmChoice = 'auto';

/** The site's settings of the kernel. */
const kernelSettings = (): KernelSettings & { timeoutMs?: unknown } => siteSettings(PLUGIN_ID);

/** Registers the kernel. In JupyterLab on a server the tokens are missing, and it does nothing. */
const kernel: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Python (BrowserGrad): a Python kernel in the page that can be interrupted.',
  autoStart: true,
  optional: [IKernelSpecs, IKernelClient],
  activate: (app: JupyterFrontEnd, specs: IKernelSpecs | null, client: IKernelClient | null) => {
    if (!specs) {
      return;
    }
    const settings = kernelSettings();
    const staticURL = new URL(
      URLExt.join(PageConfig.getOption('fullLabextensionsUrl'), 'jupyterlite-browsergrad/static/'),
      PageConfig.getBaseUrl(),
    ).href;
    const siteLimits = new Limits(settings.timeoutMs, id => notebookTimeout(app.shell, id));
    limits = siteLimits;
    const { gate, datasets } = labServices(app, true);
    specs.register({
      spec: {
        name: 'browsergrad',
        display_name: 'Python (BrowserGrad)',
        language: 'python',
        argv: [],
        metadata: { interrupt_mode: 'message' },
        resources: { 'logo-32x32': LOGO_URL, 'logo-64x64': LOGO_URL },
      },
      create: async options => {
        const { createKernel } = await import('./kernel/create');
        const made = await createKernel(
          options,
          app.serviceManager.contents,
          {
            ...settings,
            limitMs: () => siteLimits.of(options.id),
            userPrewarm: () => prewarm,
            gate: kernelGate(gate, datasets, () => pathsOf(app.serviceManager.sessions, options.id, options.location)),
            announcePrompt: (id, prompt) => announcePrompt(app.shell.widgets('main'), id, prompt),
            closePrompts: id => void closePrompts(app.shell.widgets('main'), id),
          },
          staticURL,
          app.restored,
        );
        kernels.set(made.id, made);
        made.booted.connect(() => {
          kernelsChanged.forEach(changed => changed());
          expected?.started(made);
          kernelAnswered();
          void app.restored.then(() => warnOfMissingDrive(made));
        });
        made.disposed.connect(() => {
          if (kernels.get(made.id) === made) {
            kernels.delete(made.id);
            kernelsChanged.forEach(changed => changed());
          }
        });
        return made;
      },
    });
    prepareAnnouncements();
    if (storesNothing) {
      void app.restored.then(warnOfRefusedStorage);
    }
    void app.restored
      .then(() => import('./kernel/create'))
      .then(({ prepare }) => prepare(app.serviceManager.contents, settings, staticURL, () => prewarm));
    const { WebSocket: socketClass } = app.serviceManager.kernels.serverSettings;
    removeSocketDelay(socketClass as never, url => [...kernels.keys()].some(id => url.includes(`/${id}/`)));
    nameSessionsByPath(app.serviceManager.sessions);
    if (client) {
      hookInterrupt(client, kernels);
    } else {
      Notification.warning('The Stop button cannot reach Python: this JupyterLite offers no kernel client');
    }
  },
};

/** Tells kernels which modules their notebooks import. It is a plugin of its own so that the kernel does not wait for the tracker. */
const expectations: JupyterFrontEndPlugin<void> = {
  id: EXPECTED_ID,
  description: 'Fetches the packages that an open notebook imports before a cell needs them.',
  autoStart: true,
  optional: [INotebookTracker, IKernelSpecs], // a REPL has no notebooks, and JupyterLab on a server no kernels in the page
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker | null, specs: IKernelSpecs | null) => {
    const { prefetch, prefetchPackages } = kernelSettings();
    if (!tracker || !specs || !(prefetchPackages ?? prefetch ?? !savesData())) {
      return;
    }
    const { gate } = labServices(app, true);
    const mayRun = async (id: string): Promise<boolean> => {
      const paths = await pathsOf(app.serviceManager.sessions, id, kernels.get(id)?.location ?? '');
      return (await gate.checkAll(paths)).kind !== 'refused';
    };
    expected = new ExpectedImports(tracker, id => kernels.get(id), mayRun);
  },
};

/**
 * The user's part of Stop: the time limit from the settings, and the text in the status bar about what Stop can do in this page.
 * It is a plugin of its own so that the kernel does not wait for the settings.
 */
const stop: JupyterFrontEndPlugin<void> = {
  id: STOP_ID,
  description: 'Settings and status of Stop for Python (BrowserGrad).',
  autoStart: true,
  optional: [ISettingRegistry, IStatusBar],
  activate: (app: JupyterFrontEnd, registry: ISettingRegistry | null, statusBar: IStatusBar | null) => {
    if (statusBar) {
      showStatus(app, statusBar, kernels);
    }
    if (registry) {
      void followSettings(registry, STOP_ID, 'Stop', composite => {
        if (limits) {
          limits.user = composite.timeoutMs as number;
        }
        prewarm = composite.prewarm as PrewarmChoice;
      });
    }
  },
};

export default [kernel, expectations, stop, ...labs, ...offline, ...renderers, ...results, ...transfers, ...work];
