;; `gate_wanted.wat` for engines that have no shared memory: there the worker alone writes the control block.
(module
  (import "control" "memory" (memory 1 1))
  (import "control" "page" (global $page i32))
  (import "control" "worker" (global $worker i32))
  (func (export "wanted") (result i32)
    (i32.or (i32.atomic.load (global.get $page)) (i32.atomic.load (global.get $worker)))))
