/**
 * Boots Pyodide and calls Python: the only file that touches Python proxies.
 */
import { checkHash, damagedAsset, fetchAsset, importAsset, importModule, pathOrURL } from '../assets';
import {
  compiledPack,
  explainFailure,
  knownHashes,
  loadBootAssets,
  readLock,
  readManifest,
  STDLIB,
  WASM,
  type BootAssets,
  type KernelManifest,
  type Lock,
} from '../boot_assets';
import { errorText, isOutOfMemory, isOutOfStack } from '../errors';
import type {
  Adoption,
  BootInfo,
  BootOptions,
  FromWorker,
  JupyterMessage,
  PackageProgress,
  StreamChunk,
} from '../protocol';
import type { PageCalls } from './page_calls';
import type { InterruptController } from './control';
import { DriveFS } from './drive_fs';
import type { EmscriptenFS, ErrnoCodes } from './emscripten';
import type { AbortableLoads } from './abortable_loads';
import { StreamTexts } from './stream_texts';
import type { OutputBuffer } from './output';
import { FETCHES_NOW, readSync, type LazyAsset } from './lazy_assets';
import { Pack } from './pack';
import { PackageProblems } from './package_problems';
import { inOrder, type LockedPackage } from './load_order';
import { PageFiles } from './page_files';
import { HttpRequests } from './http_requests';
import { restore } from './snapshot';
import { canSuspend, type PlainEntries } from './stack';
import { StackGuard, type GuardedModule, type GuardedObjects } from './stack_guard';

/** Name of the Python kernel's module for JavaScript; `_host.py` imports it. */
const HOST_MODULE = '_browsergrad_host';
const DRIVE = '/drive';
/** What `pyodide.loadedPackages` says of the distributions in our packs. */
const OUR_CHANNEL = 'jupyterlite-browsergrad';

interface PyProxy {
  (...args: unknown[]): unknown;
  /** Calls so that Python can be suspended. */
  callPromising(...args: unknown[]): Promise<unknown>;
  toJs(options?: object): unknown;
  destroy(): void;
  [name: string]: unknown;
}

interface LoadOptions {
  messageCallback?: (text: string) => void;
  errorCallback?: (text: string) => void;
}

interface Pyodide {
  version: string;
  FS: EmscriptenFS;
  ERRNO_CODES: ErrnoCodes;
  loadedPackages: Record<string, string>;
  _api: {
    on_fatal?: (error: Error) => void;
    lockfile_packages?: Record<string, LockedPackage>;
    /** Packages of the lock by the modules they hold. */
    _import_name_to_package_name?: Map<string, string>;
  };
  _module: PlainEntries &
    Partial<GuardedModule> & {
      HEAP32: Int32Array;
      HEAPU32: Uint32Array;
      __Py_emscripten_signal_clock?: number;
      /** Address of C's `stdout`. */
      _stdout?: number;
      _setvbuf?(file: number, buffer: number, mode: number, size: number): number;
    };
  setStdout(options: object): void;
  setStderr(options: object): void;
  registerJsModule(name: string, module: object): void;
  setInterruptBuffer(buffer: unknown): void;
  pyimport(name: string): PyProxy;
  toPy(value: unknown): unknown;
  runPython(code: string): unknown;
  loadPackage(names: string[], options?: LoadOptions): Promise<unknown>;
  loadPackagesFromImports(code: string, options?: LoadOptions): Promise<unknown>;
}

export interface PythonDependencies {
  interrupts: InterruptController;
  output: OutputBuffer;
  calls: PageCalls;
  loads: AbortableLoads;
  post: (message: FromWorker, transfer?: Transferable[]) => void;
  /** What the page has loaded for a start from the snapshot; null: nothing will come, and the page wants what is loaded here. */
  assets: Promise<BootAssets | null> | null;
}

type Progress = (stage: 'runtime' | 'packages' | 'kernel' | 'ready', fraction: number, message: string) => void;

/** This script's address, as Pyodide names it in tracebacks that go through JavaScript. */
const SCRIPT = /\w+:\/\/[^\s()]+?(?=:\d+:\d+)/.exec(new Error().stack ?? '')?.[0] ?? '';
/** C's _IONBF. */
const UNBUFFERED = 2;
/** Ms after the first cell until what Python may need next is fetched. */
const REST_DELAY_MS = 2000;

/** Names in Pyodide's "Loading a, b" texts. */
function namesIn(text: string, verb: string): string[] {
  return text.startsWith(`${verb} `)
    ? text
        .slice(verb.length + 1)
        .split(',')
        .map(name => name.trim())
        .filter(Boolean)
    : [];
}

export class Python {
  private receive: ((...message: unknown[]) => unknown) | null = null;
  private ahead: ((epoch: number) => unknown) | null = null;
  private plain: PyProxy | null = null;
  private guard: StackGuard | null = null;
  private kernel: PyProxy | null = null;
  private drive: DriveFS | null = null;
  private readonly httpRequests = new HttpRequests();
  /** Packages the distribution's lock offers beyond our own. */
  private lockNames = new Set<string>();
  private packageProblems!: PackageProblems;
  /** What a start from the snapshot has left to be fetched. */
  private rest: LazyAsset[] = [];
  private restAsked = false;
  /** Where the distribution is. */
  private indexURL = '';
  /** Fetches jedi, once. */
  private loadJedi: (() => Promise<void>) | null = null;

  private constructor(
    private readonly pyodide: Pyodide,
    private readonly dependencies: PythonDependencies,
  ) {}

  static async boot(options: BootOptions, dependencies: PythonDependencies): Promise<[Python, BootInfo]> {
    const { post } = dependencies;
    const progress: Progress = (stage, fraction, message) =>
      post({ type: 'progress', progress: { stage, fraction, message } });
    progress('runtime', 0.05, 'Fetching Python');
    const modules = importPyodide(options.indexURL);
    modules.catch(() => undefined); // awaited below
    const unwatch = dependencies.interrupts.gate.watch();
    let started: [Python, BootInfo['from']];
    try {
      started =
        (await Python.fromSnapshot(options, dependencies, modules, progress)) ??
        (await Python.fromFiles(options, dependencies, progress));
    } finally {
      unwatch();
    }
    const [python, from] = started;
    const { pyodide } = python;
    const pythonVersion = String(pyodide.runPython('__import__("sys").version.split()[0]')); // leaves no name
    progress('ready', 1, 'Python is ready');
    return [
      python,
      { pythonVersion, pyodideVersion: pyodide.version, interruptMode: dependencies.interrupts.mode, from },
    ];
  }

  /** A start from the memory snapshot; null where there is none or it does not work. */
  private static async fromSnapshot(
    options: BootOptions,
    dependencies: PythonDependencies,
    modules: ReturnType<typeof importPyodide>,
    progress: Progress,
  ): Promise<[Python, BootInfo['from']] | null> {
    const { post } = dependencies;
    const share = (assets: BootAssets | null, problem?: string): void => {
      if (!dependencies.assets) {
        post({ type: 'assets', assets, problem }, assets ? [assets.memory] : []);
      }
    };
    if (options.mode !== 'kernel' || options.packages.length || options.jsModules.length) {
      return null;
    }
    try {
      const assets = await (dependencies.assets ?? loadBootAssets(options.indexURL, options.kernelURL));
      if (!assets) {
        share(null);
        return null;
      }
      assets.problems.forEach(text => post({ type: 'log', level: 'error', text }));
      progress('runtime', 0.5, 'Starting Python');
      const { loadPyodide, createModule } = await modules;
      const { pyodide, rest } = await restore<Pyodide>({
        indexURL: options.indexURL,
        kernelURL: options.kernelURL,
        assets,
        loadPyodide,
        createModule,
        load: loadOptions(post),
        onError: text => post({ type: 'log', level: 'error', text }),
      });
      share(assets);
      (pyodide.pyimport('browsergrad_kernel.snapshot').repair as PyProxy)(pyodide.toPy(environment()));
      const python = new Python(pyodide, dependencies);
      python.rest = rest;
      await python.finish(options, assets.manifest, assets.lock, true, progress);
      return [python, 'snapshot'];
    } catch (error) {
      share(null, errorText(error));
      post({
        type: 'log',
        level: 'warning',
        text: `Python starts without its memory snapshot: ${errorText(error)}`,
      });
      return null;
    }
  }

  /** A start as Pyodide's documentation has it. */
  private static async fromFiles(
    options: BootOptions,
    dependencies: PythonDependencies,
    progress: Progress,
  ): Promise<[Python, BootInfo['from']]> {
    const { post } = dependencies;
    const lock = await readLock(options.indexURL);
    const manifest = await readManifest(options.kernelURL);
    const [major, minor] = lock.info.python.split('.');
    const tagged = compiledPack(lock);
    const fetchPack = (name: string): Promise<Pack> => Pack.fetch(options.kernelURL, manifest.packs[name]);
    const site =
      tagged in manifest.packs
        ? fetchPack(tagged).catch((error: unknown) => {
            post({ type: 'log', level: 'warning', text: `Python compiles its packages now: ${errorText(error)}` });
            return fetchPack('site');
          })
        : fetchPack('site');
    // A failure is reported where it is awaited, not as unhandled while Pyodide loads.
    site.catch(() => undefined);
    const keeps = bringsMicropip(manifest, lock);
    const without = keeps ? ['micropip/', `micropip-${manifest.packages.micropip}.`] : [];

    const { loadPyodide } = (await importAsset(`${options.indexURL}pyodide.mjs`, 'loadPyodide')) as {
      loadPyodide: (options: object) => Promise<Pyodide>;
    };
    const folder = `/lib/python${major}.${minor}/site-packages`;
    let unpacked = false;
    progress('runtime', 0.2, 'Starting Python');
    const explain = (error: unknown): Promise<Error> => explainFailure(error, options.indexURL, lock, manifest);
    const pyodide = await load(options.indexURL, loadPyodide, explain, {
      ...loadOptions(post),
      indexURL: pathOrURL(options.indexURL),
      fsInit: async (FS: EmscriptenFS) => {
        (await site).unpack(FS, folder, without);
        unpacked = true;
      },
    });
    if (!unpacked) {
      (await site).unpack(pyodide.FS, folder, without);
      pyodide.runPython('__import__("importlib").invalidate_caches()');
    }
    const hash = knownHashes(lock, manifest)[STDLIB];
    if (hash) {
      // Python starts from a damaged one too, when it needs no wrong byte for that.
      checkHash(pyodide.FS.readFile(`/lib/python${major}${minor}.zip`).buffer as ArrayBuffer, hash).catch(
        (error: unknown) =>
          post({
            type: 'log',
            level: 'error',
            text: damagedAsset(options.indexURL + STDLIB, errorText(error)).message,
          }),
      );
    }
    const python = new Python(pyodide, dependencies);
    await python.finish(options, manifest, lock, !keeps, progress);
    return [python, 'files'];
  }

  /** What both ways have in common, once Python runs. */
  private async finish(
    options: BootOptions,
    manifest: KernelManifest,
    lock: Lock,
    withMicropip: boolean,
    progress: Progress,
  ): Promise<void> {
    const { pyodide } = this;
    const { post } = this.dependencies;
    this.indexURL = options.indexURL;
    pyodide._api.on_fatal = error => post({ type: 'fatal', message: fatalText(error) });
    const { micropip, ...others } = manifest.packages;
    const ours = withMicropip ? { ...others, micropip } : others;
    // Pyodide has noted what it found under names as their authors write them: `Pygments`.
    for (const name of Object.keys(pyodide.loadedPackages)) {
      if (!(name in ours) && name.toLowerCase().replace(/[-_.]+/g, '-') in ours) {
        delete pyodide.loadedPackages[name];
      }
    }
    for (const name of Object.keys(ours)) {
      pyodide.loadedPackages[name] ??= OUR_CHANNEL;
    }
    this.packageProblems = new PackageProblems(options.indexURL, lock.packages);
    this.lockNames = new Set(Object.keys(lock.packages).filter(name => !(name in ours)));
    const { loads } = this.dependencies;
    pyodide.loadPackage = loads.wrap(pyodide.loadPackage);
    pyodide.loadPackagesFromImports = loads.wrap(pyodide.loadPackagesFromImports);
    await this.prepare(options, progress);
    this.takeDescriptors();
    if (options.mode === 'kernel' && manifest.packs.jedi) {
      const [major, minor] = lock.info.python.split('.');
      this.loadJedi = async () => {
        try {
          const pack = await Pack.fetch(options.kernelURL, manifest.packs.jedi);
          // Python may be suspended in the middle of an import: it looks for the files itself, later.
          await pack.unpackInTurns(pyodide.FS, `/lib/python${major}.${minor}/site-packages`);
          post({ type: 'ahead' });
        } catch (error) {
          post({ type: 'log', level: 'warning', text: errorText(error) });
        }
      };
    }
  }

  /** From now on what C code and `os.write` write is output; until here it is the log's. */
  private takeDescriptors(): void {
    const { pyodide } = this;
    const { output, calls } = this.dependencies;
    const writer = (name: StreamChunk['name']): object => ({
      write: (bytes: Uint8Array) => {
        if (output.writeBytes(name, bytes)) {
          calls.waitForRoom(output.hasRoom); // what interrupts it, Python sees next
        }
        return bytes.length;
      },
    });
    pyodide.setStdout(writer('stdout'));
    pyodide.setStderr(writer('stderr'));
    const { HEAPU32, _stdout, _setvbuf } = pyodide._module;
    if (_stdout && _setvbuf) {
      _setvbuf(HEAPU32[_stdout >>> 2], 0, UNBUFFERED, 0); // text of C code keeps its place among the others
    }
  }

  private async prepare(
    options: BootOptions,
    progress: (stage: 'packages' | 'kernel', fraction: number, message: string) => void,
  ): Promise<void> {
    const { pyodide } = this;
    const { interrupts, output } = this.dependencies;
    const module = pyodide._module;
    this.guard = StackGuard.for(module);
    interrupts.scheduler.beforeTurn = () => this.guard?.turn();
    interrupts.clock.use(module.__Py_emscripten_signal_clock, module.memory, () => module.HEAP32);
    pyodide.registerJsModule(HOST_MODULE, this.hostModule());
    if (options.packages.length) {
      progress('packages', 0.6, `Loading ${options.packages.join(', ')}`);
      await this.load(options.packages);
    }
    for (const { name, importURL, exportName } of options.jsModules) {
      const imported = await importModule(importURL);
      const value = exportName === undefined ? imported : imported[exportName];
      if (value === undefined || value === null) {
        throw new Error(`jsModules: ${importURL} has no export named ${exportName}`);
      }
      pyodide.registerJsModule(name, value as object);
    }
    progress('kernel', 0.8, 'Starting the kernel');
    if (options.cwd !== null && this.dependencies.calls.available) {
      pyodide.FS.mkdirTree(DRIVE);
      this.drive = new DriveFS(pyodide.FS, pyodide.ERRNO_CODES, this.dependencies.calls);
      pyodide.FS.mount(this.drive, {}, DRIVE);
    }
    if (options.mode === 'session') {
      this.plain = pyodide.pyimport('browsergrad_kernel.plain');
      (this.plain.start as PyProxy)(options.interruptible);
    } else {
      const main = pyodide.pyimport('browsergrad_kernel.main');
      const cwd = options.cwd !== null && this.dependencies.calls.available ? `${DRIVE}/${options.cwd}` : null;
      const kernel = (main.start as PyProxy)(
        pyodide.toPy({
          ...options.kernel,
          cwd,
          host: options.sealed ? 'server' : 'browser',
          vendored: [...this.lockNames],
        }),
      ) as PyProxy;
      this.kernel = kernel;
      const receive = kernel.receive as PyProxy;
      const getAhead = kernel.get_ahead as PyProxy;
      // By way of the event loop where the engine switches no stacks, and in Pyodide 0.26.
      const suspends = 'Suspending' in WebAssembly && Boolean(receive.callPromising);
      this.receive = suspends ? (...message) => receive.callPromising(...message) : (kernel.dispatch as PyProxy);
      this.ahead = suspends ? epoch => getAhead.callPromising(epoch) : getAhead;
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
      this.guard.guard(objects.toJs({ dict_converter: Object.fromEntries }) as GuardedObjects);
      objects.destroy();
    }
  }

  async exec(code: string, epoch: number, loadImports: boolean): Promise<unknown> {
    const wanted = loadImports && this.lockNames.size > 0;
    const json = (await (this.plain!.execute as PyProxy)(code, epoch, wanted)) as string;
    this.dependencies.output.endRequest();
    return JSON.parse(json);
  }

  async jupyter(message: JupyterMessage, epoch: number): Promise<void> {
    const { buffers = [], ...rest } = message;
    if (message.header.msg_type === 'complete_request' && this.loadJedi) {
      void this.loadJedi();
      this.loadJedi = null;
    }
    const list = buffers.length ? this.pyodide.toPy(buffers.map(buffer => new Uint8Array(buffer))) : undefined;
    try {
      await this.receive!(JSON.stringify(rest), list, epoch);
    } finally {
      (list as PyProxy | undefined)?.destroy();
      this.dependencies.output.flush();
      if (!this.restAsked && message.header.msg_type === 'execute_request') {
        this.restAsked = true;
        const { post } = this.dependencies;
        setTimeout(() => this.rest.forEach(({ url }) => post({ type: 'fetch', url })), REST_DELAY_MS);
      }
    }
  }

  /** A file the page has fetched ahead of need. */
  supply(url: string, bytes: Uint8Array): void {
    this.rest.find(asset => asset.url === url)?.take(bytes);
  }

  /** Does some of what the next request may need. @returns whether more is left. */
  async getAhead(epoch: number): Promise<boolean> {
    const { post } = this.dependencies;
    try {
      const more = Boolean(await this.ahead!(epoch));
      if (!more) {
        post({ type: 'log', level: 'info', text: 'jedi is ready' });
      }
      return more;
    } catch (error) {
      // Completion does without it.
      post({ type: 'log', level: 'warning', text: errorText(error) });
      return false;
    }
  }

  /** Makes a spare's kernel somebody's: its session, its folder. */
  adopt({ session_id, cwd }: Adoption): void {
    (this.pyodide.pyimport('browsergrad_kernel.main').adopt as PyProxy)(
      this.kernel,
      session_id,
      cwd === null ? null : `${DRIVE}/${cwd}`,
    );
  }

  clearNamespace(): void {
    (this.plain!.clear_namespace as PyProxy)();
  }

  /** Files for the page. */
  get files(): PageFiles {
    return new PageFiles(this.pyodide.FS, this.pyodide.ERRNO_CODES);
  }

  /** @throws naming the packages that could not be loaded: Pyodide only logs them. */
  private async load(names: string[]): Promise<void> {
    const problem = await this.reported(options => this.pyodide.loadPackage(names, options), names);
    if (problem !== null) {
      throw new Error(problem);
    }
  }

  /**
   * Runs a load and reports each package's fate to the page; one of `requested` may be unknown to Pyodide.
   *
   * @returns what went wrong with packages that were to be loaded.
   */
  private async reported(
    start: (options: LoadOptions) => Promise<unknown>,
    requested: string[] = [],
  ): Promise<string | null> {
    const report = (name: string, status: PackageProgress['status'], message?: string): void =>
      this.dependencies.post({ type: 'package', progress: { package: name, status, message } });
    const pending = new Set<string>();
    const seen = new Set<string>();
    const errors: string[] = [];
    const settle = (status: 'loaded' | 'failed', message?: string): void => {
      for (const name of pending) {
        report(name, status, message);
      }
      pending.clear();
    };
    try {
      await start({
        messageCallback: text => {
          for (const name of namesIn(text, 'Loading')) {
            pending.add(name);
            seen.add(name);
            report(name, 'loading');
          }
          for (const name of namesIn(text, 'Loaded')) {
            pending.delete(name);
            report(name, 'loaded');
          }
        },
        errorCallback: text => errors.push(text),
      });
    } catch (error) {
      requested.filter(name => !seen.has(name)).forEach(name => pending.add(name));
      const problem = await this.packageProblems.explain(pending, errorText(error));
      settle('failed', problem);
      throw new Error(problem, { cause: error });
    }
    const failed = errors.length > 0 && pending.size > 0;
    const problem = failed ? await this.packageProblems.explain(pending, errors.join('\n')) : null;
    settle(failed ? 'failed' : 'loaded', problem ?? (errors.join('\n') || undefined));
    if (errors.length) {
      this.dependencies.post({ type: 'log', level: 'warning', text: errors.join('\n') });
    }
    return problem;
  }

  /** What a cell has written to a file that it has not closed is there for others, and outlives Python. */
  private saveOpenFiles(): void {
    const problems = this.drive?.saveAll();
    if (problems) {
      this.dependencies.output.writeBytes('stderr', new TextEncoder().encode(problems));
    }
  }

  /** The module Python imports as `_browsergrad_host`; `_host.py` lists the methods. */
  private hostModule(): object {
    const { interrupts, output, calls } = this.dependencies;
    return {
      publish: (json: string, buffers: PyProxy | null | undefined) =>
        output.message(json, buffers ? copyBuffers(buffers) : []),
      stream_parent: (json: string, newest?: boolean) => output.setParent(json, newest),
      write: (name: 'stdout' | 'stderr', text: string) => output.write(name, text),
      flush: (end?: boolean) => (end ? output.endRequest() : output.flush()),
      begin: (epoch: number, request: boolean) => {
        this.guard?.begin();
        interrupts.begin(epoch, request);
      },
      end: (epoch: number) => {
        this.saveOpenFiles();
        interrupts.end(epoch);
      },
      delivered: (how: number) => interrupts.delivered(how),
      verified: () => interrupts.verified(),
      undeliver: () => interrupts.undeliver(),
      timed_out: () => interrupts.timedOut(),
      limit: (ms: number) => this.dependencies.post({ type: 'limit', ms }),
      hot: () => interrupts.hot(),
      defer: () => interrupts.defer(),
      ignored: () => interrupts.ignored(),
      take: () => interrupts.take(),
      storming: () => interrupts.storming(),
      slow_clock: () => interrupts.clock.isSlow,
      script: () => SCRIPT,
      loop_stuck: (ms: number) => interrupts.loopStuck(ms),
      was_hit: () => interrupts.wasHit(),
      background_stopped: () => interrupts.backgroundStopped(),
      idle_asked: () => interrupts.idleAsked(),
      user_start: () => interrupts.clock.userStarts(),
      schedule: interrupts.scheduler.schedule,
      wait: (ms: number) => interrupts.wait.until(ms, () => false) === 'interrupted',
      wait_mode: () => interrupts.mode,
      can_suspend: () => canSuspend(this.pyodide._module),
      room: () => calls.waitForRoom(output.hasRoom),
      input_clear: () => calls.clearInput(),
      input_wait: () => calls.waitInput(),
      input_promise: () => calls.nextInput(),
      tick: (ms?: number) => interrupts.scheduler.tick(ms),
      tick_done: () => interrupts.tickDone(),
      poll_main: () => interrupts.pollPage(),
      log: (text: string) => this.dependencies.post({ type: 'log', level: 'warning', text }),
      request: (json: string, body: PyProxy | undefined) => this.httpRequests.ask(json, bytesOf(body)),
      request_now: (json: string, body: PyProxy | undefined) => this.httpRequests.askNow(json, bytesOf(body)),
      request_abort: () => this.httpRequests.abort(),
      offer_ahead: () => this.dependencies.post({ type: 'ahead' }),
      package_of: (module: string) => {
        const name = this.pyodide._api._import_name_to_package_name?.get(module);
        return name !== undefined && !(name in this.pyodide.loadedPackages) ? name : undefined;
      },
      // Where nothing can be suspended, `on_demand.py` loads packages one by one.
      packages_in_order: (name: string) =>
        JSON.stringify(inOrder(name, this.pyodide._api.lockfile_packages ?? {}, this.pyodide.loadedPackages)),
      reads_now: () => FETCHES_NOW,
      read_now: (file: string) => readSync(new URL(file, this.indexURL).href),
      package_is: (name: string, status: PackageProgress['status'], message?: string) => {
        if (status === 'loaded') {
          this.pyodide.loadedPackages[name] = 'default channel'; // as Pyodide says
        }
        this.dependencies.post({ type: 'package', progress: { package: name, status, message } });
      },
      load_packages: async (names: PyProxy) => this.load(names.toJs() as string[]),
      // Without packages there is nothing to wait for, not even a turn of the event loop.
      packages_from_imports: (code: string) =>
        this.lockNames.size > 0
          ? this.reported(options => this.pyodide.loadPackagesFromImports(code, options))
          : undefined,
    };
  }
}

/** Pyodide's two modules, at once: one imports the other only later. */
async function importPyodide(indexURL: string): Promise<{
  loadPyodide: (options: object) => Promise<unknown>;
  createModule: (settings: object) => Promise<unknown>;
}> {
  const [loader, glue] = (await Promise.all([
    importAsset(`${indexURL}pyodide.mjs`, 'loadPyodide'),
    importAsset(`${indexURL}pyodide.asm.mjs`, 'default'),
  ])) as [{ loadPyodide: (options: object) => Promise<unknown> }, { default: (settings: object) => Promise<unknown> }];
  return { loadPyodide: loader.loadPyodide, createModule: glue.default };
}

/** What `os.environ` begins with. */
function environment(): Record<string, string> {
  return { HOME: '/home/pyodide', LANG: `${(navigator.language || 'en-US').replace('-', '_')}.UTF-8` };
}

function loadOptions(post: PythonDependencies['post']): object {
  return {
    enableRunUntilComplete: true,
    stdout: (text: string) => post({ type: 'log', level: 'info', text }),
    stderr: (text: string) => post({ type: 'log', level: 'warning', text }),
    env: environment(),
  };
}

/** Why Python has ended. */
function fatalText(error: Error): string {
  const text = `${error.name}: ${error.message}`.slice(0, 2000);
  return isOutOfStack(error)
    ? `your code called itself too deeply: the browser's own stack ended before Python could raise RecursionError (${text})`
    : text;
}

/** A micropip works with its own Pyodide: another distribution brings one for itself. */
function bringsMicropip(manifest: KernelManifest, lock: Lock): boolean {
  return !('micropip' in manifest.packages) || (!(compiledPack(lock) in manifest.packs) && 'micropip' in lock.packages);
}

/** A copy of a Python bytes object. */
function bytesOf(object: PyProxy | undefined): Uint8Array | null {
  return object ? (object.toJs() as Uint8Array) : null;
}

/** Copies a Python list of bytes-like objects into buffers of their own. */
function copyBuffers(list: PyProxy): ArrayBuffer[] {
  const views = list.toJs() as ArrayBufferView[];
  return views.map(view => (view.buffer as ArrayBuffer).slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/**
 * Loads Pyodide, and names the asset at fault when that fails. Pyodide only logs a failed WebAssembly
 * instantiation and never settles, so that is watched for; and it refuses to instantiate what is
 * served with another MIME type, which needs no more than to be read whole.
 */
async function load(
  indexURL: string,
  loadPyodide: (options: object) => Promise<Pyodide>,
  explain: (error: unknown) => Promise<Error>,
  options: object,
): Promise<Pyodide> {
  const { instantiate, instantiateStreaming } = WebAssembly;
  let reject!: (error: unknown) => void;
  const failed = new Promise<never>((_, rejectFailed) => {
    reject = rejectFailed;
  });
  failed.catch(() => undefined); // it is raced against
  const watch = async <T>(instantiating: Promise<T>): Promise<T> => {
    instantiating.catch(reject);
    return instantiating;
  };
  WebAssembly.instantiateStreaming = async (source, imports) => {
    const response = await source;
    const streams = response.headers.get('content-type')?.startsWith('application/wasm');
    return watch(
      streams || !response.ok
        ? instantiateStreaming.call(WebAssembly, response, imports)
        : response.arrayBuffer().then(bytes => WebAssembly.instantiate(bytes, imports)),
    );
  };
  // Where Pyodide reads files instead of fetching them.
  WebAssembly.instantiate = ((source: BufferSource, imports?: WebAssembly.Imports) =>
    watch(instantiate.call(WebAssembly, source, imports))) as typeof instantiate;
  if (!FETCHES_NOW) {
    // There it asks for the file before it instantiates that.
    fetchAsset(indexURL + WASM).then(response => response.body?.cancel(), reject);
  }
  try {
    return await Promise.race([loadPyodide(options), failed]);
  } catch (error) {
    throw isOutOfMemory(error) ? error : await explain(error);
  } finally {
    WebAssembly.instantiate = instantiate;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}
