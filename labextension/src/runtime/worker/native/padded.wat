;; Stands in a table for a C function that calls itself and uses little or nothing of the C stack: takes `padding` bytes of
;; it, so that CPython, which measures the C stack alone, sees how deep the engine's own stack has become.
(module
  (import "python" "stack_pointer" (global $stack_pointer (mut i32)))
  (import "python" "padding" (global $padding i32))
  (import "python" "target" (func $target (param i32)))
  (func (export "padded") (param $object i32)
    (global.set $stack_pointer (i32.sub (global.get $stack_pointer) (global.get $padding)))
    (call $target (local.get $object))
    (global.set $stack_pointer (i32.add (global.get $stack_pointer) (global.get $padding)))))
