// Helpers that the tests put into the page. They start a kernel through JupyterLite's own client, and run cells.
window.bg = {
  async start(path = '', name = 'browsergrad') {
    const app = window.jupyterapp;
    await app.serviceManager.ready;
    const file = `${path ? `${path}/` : ''}test-${Math.random().toString(36).slice(2)}.ipynb`;
    const session = await app.serviceManager.sessions.startNew({
      path: file,
      name: file,
      type: 'notebook',
      kernel: { name },
    });
    window.session = session;
    window.kernel = session.kernel;
    window.statuses = [];
    session.kernel.statusChanged.connect((_, status) => window.statuses.push(status));
    await session.kernel.info;
    return session.kernel.id;
  },
  // Runs one cell. `input` answers input requests in order, each after a number of ms.
  async run(code, options = {}, input = [], afterMs = 0) {
    const kernel = window.kernel;
    const messages = [];
    window.received = messages;
    const future = kernel.requestExecute(
      { code, stop_on_error: true, allow_stdin: input.length > 0, ...options },
      false,
    );
    let busy;
    window.busy = new Promise(resolve => {
      busy = resolve;
    });
    future.onIOPub = m => {
      busy();
      messages.push(bg.plain(m));
    };
    future.onStdin = m => {
      messages.push(bg.plain(m));
      const value = input.shift();
      const answer = () => future.sendInputReply({ status: 'ok', value }, m.header);
      if (value === undefined) return;
      if (afterMs) setTimeout(answer, afterMs);
      else answer();
    };
    let reply = null;
    try {
      reply = bg.plain(await future.done);
    } catch (error) {
      reply = { error: String(error) };
    }
    return { reply, messages };
  },
  plain(m) {
    return { type: m.header.msg_type, content: m.content, buffers: (m.buffers ?? []).length };
  },
  async request(type, content, channel = 'shell') {
    const kernel = window.kernel;
    const messages = [];
    const id = `${Math.random()}`;
    const msg = {
      channel,
      content,
      metadata: {},
      parent_header: {},
      buffers: [],
      header: {
        msg_id: id,
        msg_type: type,
        session: kernel.clientId,
        username: 'u',
        version: '5.4',
        date: new Date().toISOString(),
      },
    };
    const expectReply = type.endsWith('_request');
    const future = kernel.sendShellMessage(msg, expectReply, true);
    future.onIOPub = m => messages.push(bg.plain(m));
    const reply = await future.done;
    return { reply: reply ? bg.plain(reply) : null, messages };
  },
};
