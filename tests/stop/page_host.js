// The driver's host in a JupyterLite page: the kernel client that the notebook uses.
globalThis.stopHost = {
  cancelsQueue: true,
  execute(code, { stdin = false } = {}) {
    return stopHost.watch(kernel.requestExecute({ code, stop_on_error: true, allow_stdin: stdin }, false));
  },
  request(type, content) {
    return stopHost.watch(
      kernel.sendShellMessage(
        {
          channel: 'shell',
          content,
          metadata: {},
          parent_header: {},
          buffers: [],
          header: {
            msg_id: crypto.randomUUID(),
            msg_type: type,
            session: kernel.clientId,
            username: '',
            version: '5.4',
            date: new Date().toISOString(),
          },
        },
        true,
        true,
      ),
    );
  },
  watch(future) {
    let busy;
    const started = new Promise(resolve => {
      busy = resolve;
    });
    future.onIOPub = message => {
      if (message.content.execution_state === 'busy') busy();
    };
    const done = new Promise(resolve => {
      future.onReply = message => resolve(message.content);
      future.done.then(
        message => resolve(message.content),
        error => resolve({ status: 'aborted', evalue: String(error) }),
      );
    });
    return { busy: Promise.race([started, done]), done };
  },
  async value(expression) {
    await stopHost.execute('0', {}).done;
    const reply = (await kernel.requestExecute({ code: '', user_expressions: { v: expression } }).done).content;
    if (reply.user_expressions?.v?.status !== 'ok') throw new Error(`${expression}: ${JSON.stringify(reply)}`);
    return reply.user_expressions.v.data['text/plain'];
  },
  interrupt() {
    void kernel.interrupt();
  },
};
