/**
 * Makes a kernel for the page: finds the site's Python, the drive and the service worker.
 */
import { Notification } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import type { IKernel } from '@jupyterlite/services';

import type { KernelGate } from '../labs/kernel_gate';
import { importAsset } from '../runtime/assets';
import type { KernelClient, KernelClientOptions } from '../runtime/kernel_client';
import { Drive } from './drive';
import { BrowsergradKernel } from './kernel';
import { shown } from './pace';
import { ProgressNotification } from './progress';
import { mayPrewarm, Spares, type PrewarmChoice } from './spare';

/** The site's settings, of `litePluginSettings` in jupyter-lite.json. */
export interface KernelSettings {
  /** Folder of another Pyodide distribution, relative to the site's root. */
  pyodideIndexURL?: string;
  /** Indexes `%pip` asks first. */
  pipliteUrls?: string[];
  /** Default true: nothing comes from outside the site. */
  disablePyPIFallback?: boolean;
  /** Whether a spare Python is kept for restarts and further notebooks. Default: where memory allows. */
  prewarm?: boolean;
}

/** What can change while the page is open. */
export interface LiveSettings {
  /** Ms a cell may run, null for no limit. */
  limitMs(): number | null;
  /** The user's word on `prewarm`. */
  userPrewarm(): PrewarmChoice;
  gate: KernelGate;
}

/** What the application does for a kernel. */
export interface KernelPage {
  /** Takes the prompt of a request that has ended off the screen. */
  closePrompts(msgId: string): void;
}

interface RuntimeModule {
  KernelClient: new (options: KernelClientOptions) => KernelClient;
}

/** Ms to wait for the service worker to take control of a fresh page. */
const SERVICE_WORKER_MS = 3000;
/** Ms after a boot at which the spare one begins: the first cells come first. */
const SPARE_DELAY_MS = 1500;

/** One for the page: all kernels are made alike. */
let spares: Spares;

async function hasServiceWorker(): Promise<boolean> {
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) {
    return false; // private windows and insecure origins have none
  }
  if (!container.controller) {
    await new Promise<void>(resolve => {
      container.addEventListener('controllerchange', () => resolve(), { once: true });
      setTimeout(resolve, SERVICE_WORKER_MS);
    });
  }
  return container.controller !== null;
}

export async function createKernel(
  options: IKernel.IOptions,
  contents: Contents.IManager,
  settings: KernelSettings & LiveSettings & KernelPage,
  staticURL: string,
  restored: Promise<unknown>,
): Promise<BrowsergradKernel> {
  const base = PageConfig.getBaseUrl();
  const absolute = (url: string): string => new URL(url, base).href;
  const [driveName, folder] = options.location.includes(':')
    ? [options.location.split(':')[0], options.location.slice(options.location.indexOf(':') + 1)]
    : ['', options.location];
  const progress = new ProgressNotification(restored);
  const createClient = async (
    own: Pick<KernelClientOptions, 'onMessage'> & Partial<KernelClientOptions>,
  ): Promise<KernelClient> => {
    const runtime = (await importAsset(`${staticURL}runtime/index.js`)) as RuntimeModule;
    const serviceWorker = crossOriginIsolated ? false : await hasServiceWorker();
    return new runtime.KernelClient({
      pyodideIndexURL: settings.pyodideIndexURL
        ? absolute(settings.pyodideIndexURL)
        : `${staticURL}pyodide/`,
      kernelURL: `${staticURL}kernel/`,
      workerURL: `${staticURL}runtime/worker.js`,
      sessionId: '',
      piplite: {
        urls: (settings.pipliteUrls ?? []).map(absolute),
        disablePyPI: settings.disablePyPIFallback ?? true,
      },
      baseUrl: absolute(URLExt.join(base, '/')),
      serviceWorker,
      shown,
      ...own,
      drive: crossOriginIsolated || serviceWorker ? (own.drive ?? new Drive(contents, '')) : undefined,
    });
  };
  spares ??= new Spares(() => createClient({ onMessage: () => undefined }));
  return new BrowsergradKernel({
    ...options,
    createClient: async callbacks => {
      const own = {
        ...callbacks,
        sessionId: options.id,
        cwd: folder,
        drive: new Drive(contents, driveName),
      };
      return (await spares.take(own)) ?? createClient(own);
    },
    onProgress: update => progress.boot(update),
    onPackageProgress: update => progress.package(update),
    onLog: (level, text) => console[level === 'warning' ? 'warn' : level](`[browsergrad] ${text}`),
    onBootFailed: message => progress.fail(message.replaceAll(base, '')),
    onRestarted: reason =>
      Notification.warning(
        `Python stopped and was restarted; variables are lost. Cause: ${reason}`,
        { autoClose: false },
      ),
    onBooted: () => {
      setTimeout(() => {
        if (mayPrewarm(settings.prewarm, settings.userPrewarm())) {
          void spares.prepare();
        }
      }, SPARE_DELAY_MS);
    },
    onUnresponsive: restart => {
      const id = Notification.warning(
        'The code does not respond to Stop. Restarting ends it at once; variables are then lost.',
        { autoClose: false, actions: [{ label: 'Restart now', displayType: 'warn', callback: restart }] },
      );
      return () => Notification.dismiss(id);
    },
    onPromptAbandoned: settings.closePrompts,
    limitMs: settings.limitMs,
    gate: settings.gate,
  });
}
