;; Takes the place of the function that CPython asks for signals. That is wanted before CPython's own memory is there, which the gate
;; reads: until then, the helper answers all questions.
;;
;; Later, most questions end here: if nothing is wanted, only one in a number that JavaScript sets goes on to the gate. A call from one module
;; to another takes a few nanoseconds, which code that asks for each value would notice.
(module
  (type $check (func (result i32)))
  (import "pyodide" "helper" (func $helper (type $check)))
  ;; Not shared where the engine has no shared memory: there the worker alone writes the control block.
  (import "control" "memory" (memory 1 1 shared))
  ;; The word of the control block that the page writes, and the worker's own.
  (import "control" "page" (global $page i32))
  (import "control" "worker" (global $worker i32))
  ;; The function that answers what goes on: the helper, later the gate.
  (table (export "table") 1 1 funcref)
  (elem (i32.const 0) $helper)
  ;; Questions from which on one goes on, at present and again after that.
  (global $left (mut i32) (i32.const 1))
  (global $every (mut i32) (i32.const 1))

  (func (export "check") (result i32)
    (if (i32.or (i32.atomic.load (global.get $page)) (i32.atomic.load (global.get $worker)))
      (then (return (call $helper))))
    (global.set $left (i32.sub (global.get $left) (i32.const 1)))
    (if (i32.gt_s (global.get $left) (i32.const 0))
      (then (return (i32.const 0))))
    (global.set $left (global.get $every))
    (call_indirect (type $check) (i32.const 0)))

  ;; Lets one question in `$number` go on.
  (func (export "pass") (param $number i32)
    (global.set $every (local.get $number))
    (global.set $left (local.get $number))))
