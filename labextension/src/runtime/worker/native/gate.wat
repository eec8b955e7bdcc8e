;; Answers questions for signals, of which the door passes on a few, without JavaScript as long as that has nothing to do. It has at most once in
;; a millisecond, and at first more often. Questions of the loop, for which CPython has just set its clock anew, and those of C code such as `str`
;; are counted apart.
(module
  (import "python" "memory" (memory 1))
  (import "python" "clock" (global $clock i32))
  (import "python" "clock_start" (global $clock_start i32))
  ;; Milliseconds since 1970: `Date.now`.
  (import "time" "now" (func $now (result f64)))
  (import "pyodide" "helper" (func $helper (result i32)))
  ;; Questions of each kind from which on one looks at the time.
  (global $rounds (export "rounds") (mut i32) (i32.const 1))
  (global $asks (mut i32) (i32.const 1))
  ;; The millisecond in which JavaScript was called last. In it, the loop's questions call it again only if `$eager` is not 0.
  (global $millisecond (export "millisecond") (mut f64) (f64.const 0))
  (global $eager (export "eager") (mut i32) (i32.const 1))

  (func (export "check") (result i32)
    (if (i32.eq (i32.load (global.get $clock)) (global.get $clock_start))
      (then
        (global.set $rounds (i32.sub (global.get $rounds) (i32.const 1)))
        (if (i32.gt_s (global.get $rounds) (i32.const 0))
          (then (return (i32.const 0))))
        (if (global.get $eager)
          (then (return (call $helper)))))
      (else
        (global.set $asks (i32.sub (global.get $asks) (i32.const 1)))
        (if (i32.gt_s (global.get $asks) (i32.const 0))
          (then (return (i32.const 0))))
        (global.set $asks (i32.const 32))))
    (if (f64.eq (call $now) (global.get $millisecond))
      (then (return (i32.const 0))))
    (call $helper)))
