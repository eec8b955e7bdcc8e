/**
 * JupyterLite looks sessions up by their name, which for notebooks is the name of the file without its folder:
 * the second of two notebooks called `lab.ipynb` would wait for ever for the kernel of the first. Naming sessions by
 * their whole path tells them apart.
 */
import type { Session } from '@jupyterlab/services';

/** Makes `sessions` start every session under its path. */
export function nameSessionsByPath(sessions: Session.IManager): void {
  const original = sessions.startNew.bind(sessions);
  sessions.startNew = (options, connectOptions) => original({ ...options, name: options.path }, connectOptions);
}
