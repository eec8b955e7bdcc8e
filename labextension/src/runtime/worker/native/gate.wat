;; Answers questions for signals, of which the door passes on a few, and decides how often the loop asks: about once a millisecond, however long its
;; steps take. JavaScript is called every few milliseconds, for timed work. Questions of the loop, for which CPython has just set its clock anew, and those
;; of C code such as `str` are counted apart.
(module
  (import "python" "memory" (memory 1))
  (import "python" "clock" (global $clock i32))
  (import "python" "clock_start" (global $clock_start i32))
  ;; Milliseconds since 1970: `Date.now`.
  (import "time" "now" (func $now (result f64)))
  (import "pyodide" "helper" (func $helper (result i32)))
  ;; Lets one question in a number pass the door.
  (import "door" "pass" (func $pass (param i32)))
  (import "door" "passed_on" (global $passed_on i32))
  ;; Most checks between two looks at the time: at first, and at any time.
  (import "pace" "first" (global $first i32))
  (import "pace" "most" (global $most i32))
  ;; Milliseconds between two calls of JavaScript.
  (import "pace" "gap" (global $gap f64))
  ;; Checks between two looks at the time, at present.
  (global $interval (export "interval") (mut i32) (i32.const 1))
  ;; Checks of the user's code so far, as long as the interval grows.
  (global $checks (mut i32) (i32.const 0))
  ;; Questions of each kind until the next look at the time.
  (global $rounds (mut i32) (i32.const 1))
  (global $asks (mut i32) (i32.const 1))
  ;; The millisecond in which the loop last looked at the time, and that of the last timed work.
  (global $millisecond (mut f64) (f64.const 0))
  (global $worked (mut f64) (f64.const 0))
  ;; Whether the loop's next question calls JavaScript in any case.
  (global $eager (mut i32) (i32.const 1))
  ;; Whether JavaScript is called now for timed work.
  (global $due (mut i32) (i32.const 0))

  (func (export "check") (result i32)
    (if (i32.eq (i32.load (global.get $clock)) (global.get $clock_start))
      (then
        (global.set $rounds (i32.sub (global.get $rounds) (i32.const 1)))
        (if (i32.gt_s (global.get $rounds) (i32.const 0))
          (then (return (i32.const 0))))
        (if (i32.eqz (global.get $eager))
          (then (call $wind))))
      (else
        (global.set $asks (i32.sub (global.get $asks) (i32.const 1)))
        (if (i32.gt_s (global.get $asks) (i32.const 0))
          (then (return (i32.const 0))))
        (global.set $asks (i32.const 32))
        (call $note (call $now))))
    (if (i32.or (global.get $eager) (global.get $due))
      (then (return (call $helper))))
    (i32.const 0))

  ;; JavaScript has been called. Returns whether timed work is due, which then counts as done.
  (func (export "look") (param $for_loop i32) (result i32)
    (local $is_due i32)
    (if (i32.eqz (global.get $due))
      (then
        (if (local.get $for_loop)
          (then (call $wind))
          (else (call $note (call $now))))))
    (local.set $is_due (global.get $due))
    (global.set $due (i32.const 0))
    (local.get $is_due))

  ;; Notes that timed work is due, if the last was long enough ago. The clock may have been set back since.
  (func $note (param $now f64)
    (if (f64.ge (f64.abs (f64.sub (local.get $now) (global.get $worked))) (global.get $gap))
      (then
        (global.set $worked (local.get $now))
        (global.set $due (i32.const 1)))))

  ;; Sets the clock again after it has run down. If that took less than a millisecond, there will be more checks before the next look. Otherwise there
  ;; will be as many as fit into one millisecond.
  (func $wind
    (local $now f64)
    (local $passed i32)
    (local.set $now (call $now))
    (local.set $passed (i32.trunc_sat_f64_s (f64.abs (f64.sub (local.get $now) (global.get $millisecond)))))
    (if (local.get $passed)
      (then
        (global.set $millisecond (local.get $now))
        (global.set $interval (i32.div_s (global.get $interval) (local.get $passed)))
        (if (i32.lt_s (global.get $interval) (i32.const 1))
          (then (global.set $interval (i32.const 1)))))
      (else (call $faster)))
    (call $set (global.get $interval))
    (call $note (local.get $now)))

  ;; The user's code begins.
  (func (export "start")
    (global.set $checks (i32.const 0)))

  ;; Looks at the time after twice as many checks as before, but after no more than `$first` and a sixteenth of all checks so far: if the code's
  ;; steps become slow, the next look comes that late at most.
  (func $faster
    (local $cap i32)
    (if (i32.lt_s (global.get $interval) (global.get $most))
      (then
        (global.set $checks (i32.add (global.get $checks) (global.get $interval)))
        (local.set $cap (i32.add (global.get $first) (i32.shr_s (global.get $checks) (i32.const 4))))
        (if (i32.gt_s (local.get $cap) (global.get $most))
          (then (local.set $cap (global.get $most))))
        (global.set $interval (i32.shl (global.get $interval) (i32.const 1)))
        (if (i32.gt_s (global.get $interval) (local.get $cap))
          (then (global.set $interval (local.get $cap)))))))

  ;; Lets the loop call JavaScript after so many checks.
  (func (export "set") (param $number i32)
    (call $set (local.get $number))
    (global.set $eager (i32.const 1)))

  ;; Lets the loop look at the time after so many checks.
  (func $set (param $number i32)
    (local $questions i32)
    (global.set $eager (i32.const 0))
    (local.set $questions (i32.div_s (local.get $number) (global.get $clock_start)))
    (if (i32.lt_s (local.get $questions) (i32.const 1))
      (then
        (local.set $questions (i32.const 1)))
      (else
        (local.set $number (global.get $clock_start))))
    (i32.store (global.get $clock) (local.get $number))
    (if (i32.ge_s (local.get $questions) (global.get $passed_on))
      (then
        (call $pass (global.get $passed_on))
        (global.set $rounds (i32.div_s (local.get $questions) (global.get $passed_on))))
      (else
        (call $pass (i32.const 1))
        (global.set $rounds (local.get $questions))))))
