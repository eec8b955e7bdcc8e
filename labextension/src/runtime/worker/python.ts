/**
 * A running Python: prepares its kernel, and calls it for each request of the page.
 */
import { importModule } from '../assets';
import { sitePackagesOf, type KernelManifest, type Lock } from '../boot_assets';
import { collectGarbage } from '../bytes';
import { errorText, fatalText } from '../errors';
import type { Adoption, BootOptions, BootProgress, MessageText, StreamChunk } from '../protocol';
import type { AbortableLoads } from './abortable_loads';
import { BackgroundPack } from './background_pack';
import type { InterruptController } from './control';
import { DeferredAssets } from './deferred_assets';
import { DriveFS } from './drive_fs';
import { HOST_MODULE, hostModule } from './host_module';
import type { LazyAsset } from './lazy_assets';
import type { LongTexts } from './long_texts';
import type { OutputBuffer } from './output';
import { Packages } from './packages';
import type { PageCalls } from './page_calls';
import { PageFiles } from './page_files';
import type { Post, Pyodide, PyProxy } from './pyodide';
import { canSuspend } from './stack';
import { StackGuard, type GuardedObjects } from './stack_guard';
import { StreamTexts } from './stream_texts';

const DRIVE = '/drive';
/** C's _IONBF. */
const UNBUFFERED = 2;

export interface PythonDependencies {
  interrupts: InterruptController;
  output: OutputBuffer;
  calls: PageCalls;
  loads: AbortableLoads;
  longTexts: LongTexts;
  post: Post;
}

/** What a Python was started from. */
export interface Distribution {
  manifest: KernelManifest;
  lock: Lock;
  /** Whether our own micropip is used, not the distribution's. */
  withMicropip: boolean;
  /** Files that Python may need later. */
  deferred: readonly LazyAsset[];
}

export type Progress = (stage: BootProgress['stage'], fraction: number, message: string) => void;

export class Python {
  /** Gives a message to the kernel. Settles when the message has been handled. */
  private receive: ((...message: unknown[]) => unknown) | null = null;
  /** Lets the kernel do a part of the work that it has offered to do ahead of need. */
  private ahead: ((epoch: number, jedi: boolean) => unknown) | null = null;
  /** The Python side of a session; null in a kernel. */
  private sessionCode: PyProxy | null = null;
  /** The Python side of a kernel; null in a session. */
  private kernel: PyProxy | null = null;
  private readonly guard: StackGuard | null;
  /** Null where the page has no drive. */
  private drive: DriveFS | null = null;
  /** Whether a completion has asked for jedi. */
  private wantsJedi = false;

  private constructor(
    private readonly pyodide: Pyodide,
    private readonly packages: Packages,
    private readonly deferred: DeferredAssets,
    /** Null if the manifest names no such pack. */
    private readonly background: BackgroundPack | null,
    private readonly dependencies: PythonDependencies,
  ) {
    this.guard = StackGuard.for(pyodide._module);
  }

  /** Prepares a Pyodide that has just been loaded. */
  static async start(
    pyodide: Pyodide,
    { manifest, lock, withMicropip, deferred }: Distribution,
    options: BootOptions,
    dependencies: PythonDependencies,
    progress: Progress,
  ): Promise<Python> {
    const { post, loads } = dependencies;
    pyodide._api.on_fatal = error => post({ type: 'fatal', message: fatalText(error) });
    const { micropip, ...others } = manifest.packages;
    const ours = withMicropip ? { ...others, micropip } : others;
    const later = new DeferredAssets(deferred, post);
    const packages = new Packages(pyodide, options.indexURL, lock, ours, loads, post, later);
    const { jedi } = manifest.packs;
    const background = jedi && new BackgroundPack(pyodide.FS, options.kernelURL, jedi, sitePackagesOf(lock), post);
    const python = new Python(pyodide, packages, later, background ?? null, dependencies);
    await python.prepare(options, progress);
    python.takeDescriptors();
    return python;
  }

  private async prepare(options: BootOptions, progress: Progress): Promise<void> {
    const { pyodide } = this;
    const { interrupts, output, calls, longTexts, post } = this.dependencies;
    const module = pyodide._module;
    interrupts.scheduler.beforeTurn = () => this.guard?.turn();
    longTexts.use(module.memory);
    interrupts.clock.use(module.__Py_emscripten_signal_clock, module.memory, () => module.HEAP32);
    pyodide.registerJsModule(HOST_MODULE, this.hostModule());
    if (options.packages.length) {
      progress('packages', 0.6, `Loading ${options.packages.join(', ')}`);
      await this.packages.load(options.packages);
    }
    await this.registerModules(options.jsModules);
    progress('kernel', 0.8, 'Starting the kernel');
    if (options.cwd !== null && calls.available) {
      pyodide.FS.mkdirTree(DRIVE);
      this.drive = new DriveFS(pyodide.FS, pyodide.ERRNO_CODES, calls);
      pyodide.FS.mount(this.drive, {}, DRIVE);
    }
    if (options.mode === 'session') {
      this.sessionCode = pyodide.pyimport('browsergrad_kernel.session_code');
      (this.sessionCode.start as PyProxy)(options.interruptible);
    } else {
      this.startKernel(options);
    }
    const streams = pyodide.pyimport('browsergrad_kernel.streams');
    output.held = StreamTexts.of(module, (streams.held_address as PyProxy)() as number);
    interrupts.onIdle = pyodide.pyimport('browsergrad_kernel.interrupts')
      .on_idle as unknown as typeof interrupts.onIdle;
    if (options.interruptible) {
      interrupts.attach(pyodide);
    }
    if (this.guard) {
      const objects = (pyodide.pyimport('browsergrad_kernel.stack').guarded as PyProxy)() as PyProxy;
      if (!this.guard.guard(objects.toJs({ dict_converter: Object.fromEntries }) as GuardedObjects)) {
        post({ type: 'log', level: 'warning', text: 'Too deep a recursion may end Python: this CPython is not known' });
      }
      objects.destroy();
    }
  }

  private hostModule(): object {
    const { interrupts, output, calls, post } = this.dependencies;
    return hostModule({
      interrupts,
      output,
      calls,
      post,
      packages: this.packages,
      background: this.background,
      guardStack: () => this.guard?.begin(),
      saveOpenFiles: () => this.saveOpenFiles(),
      canSuspend: () => canSuspend(this.pyodide._module),
    });
  }

  /** Registers the modules that the page's author lets Python import. */
  private async registerModules(modules: BootOptions['jsModules']): Promise<void> {
    for (const { name, importURL, exportName } of modules) {
      const imported = await importModule(importURL);
      const value = exportName === undefined ? imported : imported[exportName];
      if (value === undefined || value === null) {
        throw new Error(`jsModules: ${importURL} has no export named ${exportName}`);
      }
      this.pyodide.registerJsModule(name, value as object);
    }
  }

  private startKernel(options: BootOptions): void {
    const { pyodide } = this;
    const startup = pyodide.pyimport('browsergrad_kernel.startup');
    const kernel = (startup.start as PyProxy)(
      pyodide.toPy({
        ...options.kernel,
        cwd: this.drive ? `${DRIVE}/${options.cwd}` : null,
        host: options.sealed ? 'server' : 'browser',
        vendored: [...this.packages.offered],
      }),
    ) as PyProxy;
    this.kernel = kernel;
    const receive = kernel.receive as PyProxy;
    const getAhead = kernel.get_ahead as PyProxy;
    // Where the engine cannot switch stacks, and in Pyodide 0.26, messages go through Python's event loop.
    const suspends = 'Suspending' in WebAssembly && Boolean(receive.callPromising);
    this.receive = suspends ? (...message) => receive.callPromising(...message) : (kernel.dispatch as PyProxy);
    this.ahead = suspends ? (epoch, jedi) => getAhead.callPromising(epoch, jedi) : getAhead;
  }

  /** From now on, what C code and `os.write` write is output of cells. Before, it goes to the log. */
  private takeDescriptors(): void {
    const { pyodide } = this;
    const { output, calls } = this.dependencies;
    const writer = (name: StreamChunk['name']): object => ({
      write: (bytes: Uint8Array) => {
        if (output.writeBytes(name, bytes)) {
          calls.waitForRoom(output.hasRoom); // if an interrupt ends the wait, Python takes it next
        }
        return bytes.length;
      },
    });
    pyodide.setStdout(writer('stdout'));
    pyodide.setStderr(writer('stderr'));
    const { HEAPU32, _stdout, _setvbuf } = pyodide._module;
    if (_stdout && _setvbuf) {
      _setvbuf(HEAPU32[_stdout >>> 2], 0, UNBUFFERED, 0); // so that C code's text keeps its place in the output
    }
  }

  // --- requests

  async exec(code: string, epoch: number, loadImports: boolean): Promise<unknown> {
    const wanted = loadImports && this.packages.offered.size > 0;
    const json = (await (this.sessionCode!.execute as PyProxy)(code, epoch, wanted)) as string;
    this.dependencies.output.endRequest();
    return JSON.parse(json);
  }

  async jupyter({ msg_type, json, buffers }: MessageText, epoch: number): Promise<void> {
    if (msg_type === 'complete_request' && this.background && !this.wantsJedi) {
      this.wantsJedi = true;
      this.background.load().then(
        () => this.dependencies.post({ type: 'ahead' }),
        () => undefined, // completion works without it, and the log says what is wrong
      );
    }
    if (msg_type === 'execute_request') {
      this.deferred.giveWay();
    }
    const list = buffers.length ? this.pyodide.toPy(buffers.map(buffer => new Uint8Array(buffer))) : undefined;
    try {
      await this.receive!(json, list, epoch);
    } finally {
      (list as PyProxy | undefined)?.destroy();
      this.dependencies.output.flush();
      if (msg_type === 'execute_request') {
        this.deferred.askSoon();
      }
    }
  }

  /** Takes a file that the page has fetched ahead of need. */
  takeFile(url: string, file: Blob): void {
    if (this.deferred.take(url, file)) {
      collectGarbage();
    }
  }

  /** Cells will import these modules. */
  expect(modules: string[]): void {
    void this.packages.layReady(modules);
  }

  /**
   * Imports those of the modules that may be imported before a cell does it, and hides them.
   *
   * @returns whether something has been imported.
   * @throws Error which says why this Python cannot be used any more.
   */
  async importAhead(modules: string[]): Promise<boolean> {
    const { pyodide } = this;
    const shelf = pyodide.pyimport('browsergrad_kernel.shelf');
    const wanted = JSON.parse((shelf.targets as PyProxy)(JSON.stringify(modules)) as string) as string[];
    let problem = '';
    const found = await this.packages.whileMounted(wanted, names => {
      problem = (shelf.fill as PyProxy)(this.kernel, JSON.stringify(names)) as string;
    });
    if (problem) {
      throw new Error(problem);
    }
    return found;
  }

  /** Does a part of the work that the next request may need. @returns whether more is left. */
  async getAhead(epoch: number): Promise<boolean> {
    const { post } = this.dependencies;
    const hasJedi = this.wantsJedi && this.background!.isThere;
    try {
      const more = Boolean(await this.ahead!(epoch, hasJedi));
      if (!more && hasJedi) {
        post({ type: 'log', level: 'info', text: 'jedi is ready' });
      }
      if (!more) {
        collectGarbage(); // what starting and preparing have left
      }
      return more;
    } catch (error) {
      // Completion works without it.
      post({ type: 'log', level: 'warning', text: errorText(error) });
      return false;
    }
  }

  /** Gives a spare Python its session and its folder. */
  adopt({ session_id, cwd }: Adoption): void {
    (this.pyodide.pyimport('browsergrad_kernel.startup').adopt as PyProxy)(
      this.kernel,
      session_id,
      cwd === null ? null : `${DRIVE}/${cwd}`,
    );
  }

  clearNamespace(): void {
    (this.sessionCode!.clear_namespace as PyProxy)();
  }

  /** Files for the page. */
  get files(): PageFiles {
    return new PageFiles(this.pyodide.FS, this.pyodide.ERRNO_CODES);
  }

  /** Writes back files that a cell has changed and not closed, so that others see the changes and they outlive Python. */
  private saveOpenFiles(): void {
    const problems = this.drive?.saveAll();
    if (problems) {
      this.dependencies.output.writeBytes('stderr', new TextEncoder().encode(problems));
    }
  }
}
