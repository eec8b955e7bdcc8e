;; Whether anything is wanted, by two words of the control block: the one that the page writes, and the worker's own.
(module
  (import "control" "memory" (memory 1 1 shared))
  (import "control" "page" (global $page i32))
  (import "control" "worker" (global $worker i32))
  (func (export "wanted") (result i32)
    (i32.or (i32.atomic.load (global.get $page)) (i32.atomic.load (global.get $worker)))))
