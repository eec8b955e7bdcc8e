/**
 * Names sessions by their whole path. JupyterLite looks sessions up by name, which for notebooks is the name of the file without
 * its folder. So the second of two notebooks called `lab.ipynb` would wait for the first one's kernel for ever.
 */
import type { Session } from '@jupyterlab/services';

/** Makes `sessions` start every session under its path. */
export function nameSessionsByPath(sessions: Session.IManager): void {
  const original = sessions.startNew.bind(sessions);
  sessions.startNew = (options, connectOptions) => original({ ...options, name: options.path }, connectOptions);
}
