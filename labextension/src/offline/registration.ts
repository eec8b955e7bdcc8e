/**
 * Keeps the service worker of sites with an offline copy.
 *
 * JupyterLite 0.8 unregisters all service workers of the origin in the first visit that one controls, and after each change of its version, and then
 * registers its own again. Without a network that second step fails, and the site would not open any more. So a service worker whose site has an
 * offline copy is brought up to date instead, which has the same end: browsers compare its script with that of the server.
 */
import { hasCopy } from './store';

export function keepServiceWorkers(): void {
  const { prototype } = globalThis.ServiceWorkerRegistration ?? {};
  if (!prototype) {
    return; // an insecure origin, or a browser without service workers
  }
  const { unregister } = prototype;
  prototype.unregister = async function (this: ServiceWorkerRegistration): Promise<boolean> {
    if (!(await hasCopy(this.scope))) {
      return unregister.call(this);
    }
    this.update().catch(() => undefined); // without a network the present one stays
    return true;
  };
}
