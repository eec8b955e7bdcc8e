// What the suites call in the page: kernels through JupyterLite's own client, timed in the page.
window.bench = {
  kernels: [],
  // Plugins may register their kernels late.
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
  // Ms from the request to its reply, with all output taken; a failing cell throws.
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
  // Ms from asking for a kernel to the first cell's reply.
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
      // Without it, IPython knows attributes alone; on a slow machine it may not get as far as the types.
      if (types.some(item => item.type !== 'attribute')) return;
    }
  },
  async complete(code) {
    const begin = performance.now();
    const reply = await bench.kernel.requestComplete({ code, cursor_pos: code.length });
    if (!reply.content.matches.length) throw new Error('no completions');
    return performance.now() - begin;
  },
};
