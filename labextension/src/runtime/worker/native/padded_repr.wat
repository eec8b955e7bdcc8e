;; `padded.wat` for functions that return something.
(module
  (import "python" "stack_pointer" (global $stack_pointer (mut i32)))
  (import "python" "padding" (global $padding i32))
  (import "python" "target" (func $target (param i32) (result i32)))
  (func (export "padded") (param $object i32) (result i32)
    (local $result i32)
    (global.set $stack_pointer (i32.sub (global.get $stack_pointer) (global.get $padding)))
    (local.set $result (call $target (local.get $object)))
    (global.set $stack_pointer (i32.add (global.get $stack_pointer) (global.get $padding)))
    (local.get $result)))
