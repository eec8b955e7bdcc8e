// Functions that the suites call in the page. They use kernels through JupyterLite's own client and take times in the page.
window.bench = {
  kernels: [],
  // Waits until a kernel is known, since plugins may register their kernels late.
  async known(name) {
    const { kernelspecs } = window.jupyterapp.serviceManager;
    await window.jupyterapp.restored;
    while (!kernelspecs.specs?.kernelspecs[name]) await kernelspecs.refreshSpecs();
  },
  async start(name) {
    const { serviceManager } = window.jupyterapp;
    await serviceManager.ready;
    const path = `bench-${crypto.randomUUID()}.ipynb`;
    const session = await serviceManager.sessions.startNew({ path, name: path, type: 'notebook', kernel: { name } });
    bench.kernels.push(session.kernel);
    bench.kernel = session.kernel;
  },
  // Opens a notebook with these cells, and waits until its kernel has answered.
  async open(name, cells) {
    const { commands, serviceManager } = window.jupyterapp;
    const path = `bench-${crypto.randomUUID()}.ipynb`;
    const made = cells.map(source => ({ cell_type: 'code', source, metadata: {}, outputs: [], execution_count: null }));
    const content = {
      nbformat: 4,
      nbformat_minor: 4,
      metadata: { kernelspec: { name, display_name: name } },
      cells: made,
    };
    await serviceManager.contents.save(path, { type: 'notebook', format: 'json', content });
    const panel = await commands.execute('docmanager:open', { path, factory: 'Notebook', kernel: { name } });
    await panel.context.sessionContext.ready;
    bench.kernel = panel.context.sessionContext.session.kernel;
    await bench.kernel.info;
  },
  // Runs a cell and returns the ms from the request to its reply, when all output has arrived. Throws if the cell fails.
  async run(code, onMessage = () => undefined) {
    const begin = performance.now();
    const future = bench.kernel.requestExecute({ code }, false);
    let failure = null;
    future.onIOPub = message => {
      if (message.header.msg_type === 'error') failure = message.content;
      onMessage(message);
    };
    await future.done;
    if (failure) throw new Error(`${failure.ename}: ${failure.evalue}`);
    return performance.now() - begin;
  },
  // Runs a cell that raises an error, and returns the ms until its reply.
  async fails(code) {
    const begin = performance.now();
    await bench.run(code).then(
      () => {
        throw new Error('the cell did not fail');
      },
      () => undefined,
    );
    return performance.now() - begin;
  },
  // Starts a kernel and returns the ms from the request for it to the first cell's reply.
  async first(name) {
    const begin = performance.now();
    await bench.start(name);
    await bench.run('sum(i * i for i in range(1000))');
    return performance.now() - begin;
  },
  async restart() {
    const begin = performance.now();
    await bench.kernel.restart();
    await bench.run('sum(i * i for i in range(1000))');
    return performance.now() - begin;
  },
  async text(code) {
    let text = '';
    await bench.run(code, message => {
      text += message.content.text ?? '';
    });
    return text;
  },
  async completeWithJedi(code) {
    for (;;) {
      const { content } = await bench.kernel.requestComplete({ code, cursor_pos: code.length });
      const types = content.metadata._jupyter_types_experimental ?? [];
      // Without jedi, IPython knows only attributes. On a slow machine, jedi may not get as far as other types.
      if (types.some(item => item.type !== 'attribute')) return;
      await new Promise(resolve => setTimeout(resolve, 1000)); // our kernel gets jedi ready while nobody asks it anything
    }
  },
  async complete(code) {
    const begin = performance.now();
    const reply = await bench.kernel.requestComplete({ code, cursor_pos: code.length });
    if (!reply.content.matches.length) throw new Error('no completions');
    return performance.now() - begin;
  },
};
