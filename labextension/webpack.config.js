// The runtime is built apart, by esbuild; the extension only imports it by URL.
module.exports = {
  output: { clean: false },
};
