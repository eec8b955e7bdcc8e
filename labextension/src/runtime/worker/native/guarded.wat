;; Takes the place of a C function that runs Python code, in the function table. If the C stack's pointer is below `threshold`,
;; it asks `leaves`, in JavaScript, whether to continue on a further stack. If so, it calls `enter` instead of the C function:
;; `enter` makes room on the engine's stack and calls `run…`.
;; One instance guards one function. Only the pair of exports with its number of parameters is used.
(module
  (import "python" "table" (table 1 funcref))
  (import "python" "target" (global $target i32))
  (import "python" "stack_pointer" (global $stack_pointer (mut i32)))
  (import "guard" "threshold" (global $threshold (mut i32)))
  (import "guard" "leaves" (func $leaves (result i32)))
  (import "guard" "enter" (func $enter (param i32 i32 i32 i32 i32) (result i32)))
  (type $one (func (param i32) (result i32)))
  (type $two (func (param i32 i32) (result i32)))
  (type $three (func (param i32 i32 i32) (result i32)))
  (type $four (func (param i32 i32 i32 i32) (result i32)))
  (type $five (func (param i32 i32 i32 i32 i32) (result i32)))

  ;; What the function has returned, and whether it has. On a further stack its caller gets only a promise.
  (global $result (export "result") (mut i32) (i32.const 0))
  (global $returned (export "returned") (mut i32) (i32.const 0))

  (func $deep (result i32)
    (if (i32.lt_u (global.get $stack_pointer) (global.get $threshold))
      (then (return (call $leaves))))
    (i32.const 0))

  (func (export "call1") (param i32) (result i32)
    (if (call $deep)
      (then (return (call $enter (local.get 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))))
    (call_indirect (type $one) (local.get 0) (global.get $target)))
  (func (export "call2") (param i32 i32) (result i32)
    (if (call $deep)
      (then (return (call $enter (local.get 0) (local.get 1) (i32.const 0) (i32.const 0) (i32.const 0)))))
    (call_indirect (type $two) (local.get 0) (local.get 1) (global.get $target)))
  (func (export "call3") (param i32 i32 i32) (result i32)
    (if (call $deep)
      (then (return (call $enter (local.get 0) (local.get 1) (local.get 2) (i32.const 0) (i32.const 0)))))
    (call_indirect (type $three) (local.get 0) (local.get 1) (local.get 2) (global.get $target)))
  (func (export "call4") (param i32 i32 i32 i32) (result i32)
    (if (call $deep)
      (then (return (call $enter (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 0)))))
    (call_indirect (type $four) (local.get 0) (local.get 1) (local.get 2) (local.get 3) (global.get $target)))
  (func (export "call5") (param i32 i32 i32 i32 i32) (result i32)
    (if (call $deep)
      (then (return (call $enter (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))))
    (call_indirect (type $five)
      (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (global.get $target)))

  (func (export "run1") (param i32 i32 i32 i32 i32)
    (global.set $result (call_indirect (type $one) (local.get 0) (global.get $target)))
    (global.set $returned (i32.const 1)))
  (func (export "run2") (param i32 i32 i32 i32 i32)
    (global.set $result (call_indirect (type $two) (local.get 0) (local.get 1) (global.get $target)))
    (global.set $returned (i32.const 1)))
  (func (export "run3") (param i32 i32 i32 i32 i32)
    (global.set $result
      (call_indirect (type $three) (local.get 0) (local.get 1) (local.get 2) (global.get $target)))
    (global.set $returned (i32.const 1)))
  (func (export "run4") (param i32 i32 i32 i32 i32)
    (global.set $result
      (call_indirect (type $four) (local.get 0) (local.get 1) (local.get 2) (local.get 3) (global.get $target)))
    (global.set $returned (i32.const 1)))
  (func (export "run5") (param i32 i32 i32 i32 i32)
    (global.set $result
      (call_indirect (type $five)
        (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (global.get $target)))
    (global.set $returned (i32.const 1)))
)
