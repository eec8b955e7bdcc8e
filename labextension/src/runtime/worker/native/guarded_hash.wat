;; Takes the place of a C function that hashes what an object holds. Asks CPython first whether it may go deeper.
(module
  (import "python" "stack_pointer" (global $stack_pointer (mut i32)))
  (import "python" "padding" (global $padding i32))
  (import "python" "target" (func $target (param i32) (result i32)))
  (import "python" "enter" (func $enter (param i32) (result i32)))
  (import "python" "leave" (func $leave))
  ;; Address of a text that the error's message includes.
  (import "python" "where" (global $where i32))
  (func (export "padded") (param $object i32) (result i32)
    (local $hash i32)
    ;; -1 tells CPython that an exception has been set.
    (if (call $enter (global.get $where))
      (then (return (i32.const -1))))
    (global.set $stack_pointer (i32.sub (global.get $stack_pointer) (global.get $padding)))
    (local.set $hash (call $target (local.get $object)))
    (global.set $stack_pointer (i32.add (global.get $stack_pointer) (global.get $padding)))
    (call $leave)
    (local.get $hash)))
