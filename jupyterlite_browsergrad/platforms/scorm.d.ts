/** Results as the lab posts them to the page around it. */
interface Posted {
  path?: string;
  groups: {
    cell_id?: string | null;
    counts: { pass: number; fail: number; error: number };
    points?: { earned: number; possible: number };
  }[];
}
type Version = '1.2' | '2004';
interface Score {
  percent: number;
  complete: boolean;
}

export declare function findApi(start: object, version: Version): object | null;
export declare function scoreOf(results: Posted): Score | null;
export declare class Attempt {
  constructor(api: object, version: Version, now?: () => number);
  best: number;
  isOpen: boolean;
  start(): boolean;
  report(score: Score): void;
  finish(): void;
}
export declare function launch(
  view: object,
  frame: object,
  say: (text: string) => void,
  options: { version: Version; notebook: string; address: string },
): Attempt | null;
