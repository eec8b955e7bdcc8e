;; `padded.wat` for functions that compare.
(module
  (import "python" "stack_pointer" (global $stack_pointer (mut i32)))
  (import "python" "padding" (global $padding i32))
  (import "python" "target" (func $target (param i32 i32 i32) (result i32)))
  (func (export "padded") (param $left i32) (param $right i32) (param $operator i32) (result i32)
    (global.set $stack_pointer (i32.sub (global.get $stack_pointer) (global.get $padding)))
    (call $target (local.get $left) (local.get $right) (local.get $operator))
    (global.set $stack_pointer (i32.add (global.get $stack_pointer) (global.get $padding)))))
