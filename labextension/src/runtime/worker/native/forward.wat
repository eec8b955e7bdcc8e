;; Makes a function of WebAssembly's from one of JavaScript's: a table takes no other.
(module
  (import "javascript" "call" (func $call))
  (export "call" (func $call)))
