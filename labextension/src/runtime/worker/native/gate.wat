;; Answers CPython's question for signals without JavaScript as long as nothing is wanted. Of the questions of each kind, all
;; but one in a number that JavaScript sets end here: those of the loop, for which CPython has just set its clock anew, and those
;; of C code such as `str`.
(module
  (import "python" "memory" (memory 1))
  (import "python" "clock" (global $clock i32))
  (import "python" "clock_start" (global $clock_start i32))
  (import "control" "wanted" (func $wanted (result i32)))
  (import "pyodide" "helper" (func $helper (result i32)))
  ;; Questions from which on one is JavaScript's again.
  (global $rounds (export "rounds") (mut i32) (i32.const 1))
  (global $asks (export "asks") (mut i32) (i32.const 1))

  (func (export "check") (result i32)
    (if (i32.eqz (call $wanted))
      (then
        (if (i32.eq (i32.load (global.get $clock)) (global.get $clock_start))
          (then
            (global.set $rounds (i32.sub (global.get $rounds) (i32.const 1)))
            (if (i32.gt_s (global.get $rounds) (i32.const 0))
              (then (return (i32.const 0)))))
          (else
            (global.set $asks (i32.sub (global.get $asks) (i32.const 1)))
            (if (i32.gt_s (global.get $asks) (i32.const 0))
              (then (return (i32.const 0))))))))
    (call $helper)))
