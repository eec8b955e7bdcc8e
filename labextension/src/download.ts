/** Downloads a text as a file. */

/** Ms after which the text's address is revoked. A browser may first ask where to save the file. */
const KEPT_MS = 60_000;

export function downloadJson(fileName: string, json: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([json], { type: 'application/json' }));
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
