/** Downloads data as a file. */

/** Ms after which the data's address is revoked. A browser may first ask where to save the file. */
const KEPT_MS = 60_000;

export function downloadJson(fileName: string, json: string): void {
  download(fileName, new Blob([json], { type: 'application/json' }));
}

export function download(fileName: string, data: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(data);
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
