/** Hands a text to the browser's downloads. */

/** Ms until the text's address is given up: a browser may ask where to save it first. */
const KEPT_MS = 60_000;

export function downloadJson(fileName: string, json: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([json], { type: 'application/json' }));
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
