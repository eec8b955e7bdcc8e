/**
 * Tells the kernel of each open notebook which modules its cells import, so that their packages are there when a cell needs
 * them. Nothing of a notebook runs for that, and a notebook that may not run is not read.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

/** The part of a kernel that is used here. */
interface ExpectingKernel {
  expect(modules: string[], mayImport: boolean): void;
}

/** A line of a cell that imports, perhaps after a magic. The groups: names after `import`, the name after `from`, a magic. */
const LINE = /^\s*(?:%%?\w+\s+)?(?:import\s+([^#]+)|from\s+([A-Za-z_]\w*)|%(matplotlib|pylab)\b)/;
const MODULES_OF_MAGICS: Record<string, string[]> = { matplotlib: ['matplotlib'], pylab: ['numpy', 'matplotlib'] };

/** Signs of code that sets environment variables, which libraries may read when they are imported. */
const SETS_VARIABLES = /environ\b|\bputenv\b|%(?:set_)?env\b/;

/** The top-level modules that cells import, as far as their lines show it. */
export function importedModules(cells: Iterable<string>): string[] {
  const found = new Set<string>();
  for (const line of [...cells].flatMap(cell => cell.split(/[\n;]/))) {
    const [, names = '', from, magic = ''] = LINE.exec(line) ?? [];
    const imported = names.split(',').map(name => /^\s*([A-Za-z_]\w*)/.exec(name)?.[1]);
    for (const module of [...imported, from, ...(MODULES_OF_MAGICS[magic] ?? [])]) {
      if (module) {
        found.add(module);
      }
    }
  }
  return [...found];
}

/** Whether the browser saves data. */
export function savesData(): boolean {
  const { connection } = navigator as Navigator & { connection?: { saveData?: boolean } };
  return connection?.saveData === true;
}

export class ExpectedImports {
  /**
   * @param kernelOf - the kernel with an id, if it is ours.
   * @param mayRun - whether the notebooks of that kernel may run.
   */
  constructor(
    private readonly tracker: INotebookTracker,
    private readonly kernelOf: (id: string) => ExpectingKernel | undefined,
    private readonly mayRun: (id: string) => Promise<boolean>,
  ) {
    tracker.widgetAdded.connect((_, panel) => this.watch(panel));
    tracker.forEach(panel => this.watch(panel));
  }

  /** Python has started in a kernel. */
  started(kernel: ExpectingKernel): void {
    this.tracker.forEach(panel => {
      if (this.kernelOf(kernelId(panel)) === kernel) {
        void this.tell(panel);
      }
    });
  }

  private watch(panel: NotebookPanel): void {
    panel.sessionContext.kernelChanged.connect(() => void this.tell(panel));
    void panel.context.ready.then(() => this.tell(panel));
  }

  /** Called more than once for a notebook, until its content, its kernel and Python are there. */
  private async tell(panel: NotebookPanel): Promise<void> {
    const id = kernelId(panel);
    if (
      !panel.context.isReady ||
      !this.kernelOf(id) ||
      !(await this.mayRun(id).catch(() => false)) ||
      panel.isDisposed
    ) {
      return;
    }
    const cells = [...(panel.content.model?.cells ?? [])]
      .filter(({ type }) => type === 'code')
      .map(({ sharedModel }) => sharedModel.getSource());
    this.kernelOf(id)?.expect(importedModules(cells), !cells.some(cell => SETS_VARIABLES.test(cell)));
  }
}

function kernelId({ sessionContext }: NotebookPanel): string {
  return sessionContext.session?.kernel?.id ?? '';
}
