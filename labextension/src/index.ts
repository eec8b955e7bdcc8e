/**
 * The plugins: tokens in, registrations out.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { IKernelClient, IKernelSpecs } from '@jupyterlite/services';

import { hookInterrupt, type Interruptible } from './kernel/interrupt_hook';
import { LOGO_URL } from './kernel/logo';

/** Id of the plugin and key of its site settings. */
const PLUGIN_ID = 'jupyterlite-browsergrad:kernel';

/** Registers the kernel. In JupyterLab on a server the tokens are missing and nothing happens. */
const kernel: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Python (BrowserGrad): a Python kernel in the page that can be interrupted.',
  autoStart: true,
  optional: [IKernelSpecs, IKernelClient],
  activate: (app: JupyterFrontEnd, specs: IKernelSpecs | null, client: IKernelClient | null) => {
    if (!specs) {
      return;
    }
    const all = JSON.parse(PageConfig.getOption('litePluginSettings') || '{}');
    const settings = all[PLUGIN_ID] ?? {};
    const staticURL = new URL(
      URLExt.join(PageConfig.getOption('fullLabextensionsUrl'), 'jupyterlite-browsergrad/static/'),
      PageConfig.getBaseUrl(),
    ).href;
    const kernels = new Map<string, Interruptible>();
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
        const made = await createKernel(options, app.serviceManager.contents, settings, staticURL);
        kernels.set(made.id, made);
        made.disposed.connect(() => {
          if (kernels.get(made.id) === made) {
            kernels.delete(made.id);
          }
        });
        return made;
      },
    });
    if (client) {
      hookInterrupt(client, kernels);
    } else {
      Notification.warning('The Stop button cannot reach Python: this JupyterLite offers no kernel client');
    }
  },
};

export default [kernel];
