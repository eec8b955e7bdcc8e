/**
 * Makes a kernel for the page: finds the site's Python, the drive and the service worker.
 */
import { Notification } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import type { IKernel } from '@jupyterlite/services';

import { fetchAsset } from '../runtime/assets';
import type { KernelClient, KernelClientOptions } from '../runtime/kernel_client';
import { canShare } from '../runtime/sharing';
import type { KernelGate } from './admission';
import { memoryLimit } from './device_memory';
import { Drive } from './drive';
import { savesData } from './expected_imports';
import { BrowsergradKernel } from './kernel';
import type { ClientCallbacks } from './kernel_options';
import { outputPace } from './output_pace';
import { ProgressNotification } from './progress';
import { SiteFiles, type FileSettings } from './site_files';
import { mayImportAhead, mayPrewarm, Spares, type PrewarmChoice } from './spare';

/** The site's settings, from `litePluginSettings` in jupyter-lite.json. */
export interface KernelSettings extends FileSettings {
  /** Package indexes that `%pip` asks first. */
  pipliteUrls?: string[];
  /** By default true: nothing is loaded from outside the site. */
  disablePyPIFallback?: boolean;
  /**
   * Whether the page fetches and compiles Python before a notebook needs it. By default true, unless the browser saves data.
   */
  prefetch?: boolean;
  /**
   * Whether the packages that an open notebook imports are fetched and compiled before a cell imports them. By default as
   * `prefetch`.
   */
  prefetchPackages?: boolean;
  /**
   * Whether the spare Python imports what an open notebook imports, and takes the place of the notebook's Python when its first
   * cell runs. By default false. Never on devices with little memory.
   */
  importAhead?: boolean;
  /** Whether a spare Python is kept for restarts and further notebooks. By default this depends on the device's memory. */
  prewarm?: boolean;
  /** MB that each Python may take, 0 for no limit. By default half of what the device has. */
  memoryLimit?: unknown;
}

/** Settings that can change while the page is open. */
export interface LiveSettings {
  /** Ms that a cell may run, null for no limit. */
  limitMs(): number | null;
  /** The user's setting for `prewarm`. */
  userPrewarm(): PrewarmChoice;
  gate: KernelGate;
}

/** What the application provides to a kernel. */
export interface KernelPage {
  /** Tells screen readers what a request is about to ask. */
  announcePrompt(msgId: string, prompt: string): void;
  /** Removes the input prompt of a request that has ended from the screen. */
  closePrompts(msgId: string): void;
}

/** Ms to wait until the service worker controls a new page. */
const SERVICE_WORKER_MS = 3000;
/** Ms between a kernel's boot and the boot of the next spare Python: the first cells have priority. */
const SPARE_DELAY_MS = 1500;
/** How often the boot of a spare is put off for as long again, since a cell runs. */
const MAX_SPARE_DELAYS = 10;

/** Longest time, in ms, that prefetching waits for an idle page. */
const IDLE_MS = 2000;

/** All kernels of the page share their spares, since all start in the same way. */
let spares: Spares | undefined;

/** Settled when the page is controlled by a service worker, or none has come in time. */
let waited: Promise<void> | undefined;

async function hasServiceWorker(): Promise<boolean> {
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) {
    return false; // as in private windows and on insecure origins
  }
  if (!container.controller) {
    waited ??= new Promise<void>(resolve => {
      container.addEventListener('controllerchange', () => resolve(), { once: true });
      setTimeout(resolve, SERVICE_WORKER_MS);
    });
    await waited;
  }
  return container.controller !== null;
}

/**
 * Fetches and compiles what the first kernel needs, once the page is idle.
 *
 * @returns whether everything has been fetched.
 */
async function prefetch(settings: KernelSettings, staticURL: string): Promise<boolean> {
  if (!(settings.prefetch ?? !savesData())) {
    return false;
  }
  await new Promise(resolve =>
    // Safari has no requestIdleCallback.
    typeof requestIdleCallback === 'function'
      ? requestIdleCallback(resolve, { timeout: IDLE_MS })
      : setTimeout(resolve, IDLE_MS),
  );
  const files = new SiteFiles(settings, staticURL);
  try {
    const { sharedBootAssets } = await files.runtime();
    await Promise.all([sharedBootAssets(files.index, files.kernel, files.hints), fetchAsset(files.workerURL)]);
    performance.mark('browsergrad:prefetched');
    return true;
  } catch {
    return false; // the first kernel will report the error
  }
}

/** Starts a worker: for a kernel, or as a spare. */
async function createClient(
  own: Pick<KernelClientOptions, 'onMessage'> & Partial<KernelClientOptions>,
  contents: Contents.IManager,
  settings: KernelSettings,
  staticURL: string,
): Promise<KernelClient> {
  const base = PageConfig.getBaseUrl();
  const absolute = (url: string): string => new URL(url, base).href;
  const files = new SiteFiles(settings, staticURL);
  files.beginFirst();
  const runtime = await files.runtime();
  const shares = canShare();
  const serviceWorker = !shares && (await hasServiceWorker());
  return new runtime.KernelClient({
    pyodideIndexURL: files.index,
    kernelURL: files.kernel,
    hints: files.hints,
    memoryMB: memoryLimit(settings.memoryLimit),
    workerURL: files.workerURL,
    sessionId: '',
    piplite: {
      urls: (settings.pipliteUrls ?? []).map(absolute),
      disablePyPI: settings.disablePyPIFallback ?? true,
    },
    baseUrl: absolute(URLExt.join(base, '/')),
    serviceWorker,
    shown: outputPace(),
    ...own,
    drive: shares || serviceWorker ? (own.drive ?? new Drive(contents, '')) : undefined,
  });
}

/** Returns the page's spares. */
function sparesOf(contents: Contents.IManager, settings: KernelSettings, staticURL: string): Spares {
  spares ??= new Spares(onProgress =>
    createClient({ onMessage: () => undefined, onProgress }, contents, settings, staticURL),
  );
  return spares;
}

/** Calls `prepare` when a kernel that has just booted runs no cell, or has run cells for long. */
function afterFirstCells(kernel: () => BrowsergradKernel, prepare: () => void, delays = MAX_SPARE_DELAYS): void {
  setTimeout(() => {
    if (kernel().atWork && delays > 0) {
      afterFirstCells(kernel, prepare, delays - 1);
    } else {
      prepare();
    }
  }, SPARE_DELAY_MS);
}

/** Prepares what the first kernel needs, in a page that has no kernel yet. */
export async function prepare(
  contents: Contents.IManager,
  settings: KernelSettings,
  staticURL: string,
  userPrewarm: LiveSettings['userPrewarm'],
): Promise<void> {
  // The runtime is small, and the first kernel needs it before anything else.
  void new SiteFiles(settings, staticURL).runtime().catch(() => undefined); // the kernel will report the error
  const isThere = await prefetch(settings, staticURL);
  // If a first kernel has started meanwhile, it prepares a spare itself.
  if (isThere && !spares && mayPrewarm(settings.prewarm, userPrewarm())) {
    await sparesOf(contents, settings, staticURL).prepare();
  }
}

export async function createKernel(
  options: IKernel.IOptions,
  contents: Contents.IManager,
  settings: KernelSettings & LiveSettings & KernelPage,
  staticURL: string,
  restored: Promise<unknown>,
): Promise<BrowsergradKernel> {
  const base = PageConfig.getBaseUrl();
  const [driveName, folder] = options.location.includes(':')
    ? [options.location.split(':')[0], options.location.slice(options.location.indexOf(':') + 1)]
    : ['', options.location];
  const progress = new ProgressNotification(restored);
  const pageSpares = sparesOf(contents, settings, staticURL);
  /** Whether the notebook imports something that a spare may have imported. */
  let isExpecting = false;
  const ownOptions = async (callbacks: ClientCallbacks): Promise<ClientCallbacks & Partial<KernelClientOptions>> => ({
    ...callbacks,
    sessionId: options.id,
    cwd: folder,
    drive: canShare() || (await hasServiceWorker()) ? new Drive(contents, driveName) : undefined,
  });
  const keepsSpare = (): boolean => mayPrewarm(settings.prewarm, settings.userPrewarm());
  const prepareSpare = (): void => {
    if (keepsSpare()) {
      void pageSpares.prepare();
    }
  };
  const kernel: BrowsergradKernel = new BrowsergradKernel({
    ...options,
    createClient: async callbacks => {
      const own = await ownOptions(callbacks);
      return (await pageSpares.take(own)) ?? createClient(own, contents, settings, staticURL);
    },
    exchangeClient: async (callbacks, old) => {
      if (pageSpares.giveWay()) {
        afterFirstCells(() => kernel, prepareSpare);
        return null;
      }
      return isExpecting && pageSpares.hasImported
        ? pageSpares.exchange(await ownOptions(callbacks), old as KernelClient)
        : null;
    },
    onExpected: (modules, isWanted) => {
      if (mayImportAhead(settings.importAhead, keepsSpare())) {
        isExpecting = true;
        afterFirstCells(
          () => kernel,
          () => void pageSpares.importAhead(modules, isWanted),
        );
      }
    },
    onProgress: update => progress.boot(update),
    onPackageProgress: update => progress.package(update),
    onLog: (level, text) => console[level === 'warning' ? 'warn' : level](`[browsergrad] ${text}`),
    onBootFailed: message => progress.fail(message.replaceAll(base, '')),
    onRestarted: reason =>
      Notification.warning(`Python stopped and was restarted; variables are lost. Cause: ${reason}`, {
        autoClose: false,
      }),
    onBooted: () => afterFirstCells(() => kernel, prepareSpare),
    onUnresponsive: restart => {
      const id = Notification.warning(
        'The code does not respond to Stop. Restarting ends it at once; variables are then lost.',
        { autoClose: false, actions: [{ label: 'Restart now', displayType: 'warn', callback: restart }] },
      );
      return () => Notification.dismiss(id);
    },
    onPrompt: settings.announcePrompt,
    onPromptAbandoned: settings.closePrompts,
    limitMs: settings.limitMs,
    gate: settings.gate,
  });
  return kernel;
}
