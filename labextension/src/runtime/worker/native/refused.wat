;; Takes the place of a C function that is refused when little of the C stack is left: below `near` it calls `refuse`, in
;; JavaScript, which raises RecursionError and returns 1. Only one export is used: the one with the function's number of
;; parameters, or `finalize`.
(module
  (import "python" "table" (table 1 funcref))
  (import "python" "target" (global $target i32))
  (import "python" "stack_pointer" (global $stack_pointer (mut i32)))
  (import "guard" "near" (global $near (mut i32)))
  (import "guard" "refuse" (func $refuse (param i32) (result i32)))
  (type $finalizer (func (param i32)))
  (type $three (func (param i32 i32 i32) (result i32)))
  (type $four (func (param i32 i32 i32 i32) (result i32)))

  (func $refused (param $object i32) (result i32)
    (if (i32.lt_u (global.get $stack_pointer) (global.get $near))
      (then (return (call $refuse (local.get $object)))))
    (i32.const 0))

  (func (export "finalize") (param $object i32)
    (if (call $refused (local.get $object)) (then (return)))
    (call_indirect (type $finalizer) (local.get $object) (global.get $target)))
  (func (export "call3") (param i32 i32 i32) (result i32)
    (if (call $refused (i32.const 0)) (then (return (i32.const 0))))
    (call_indirect (type $three) (local.get 0) (local.get 1) (local.get 2) (global.get $target)))
  (func (export "call4") (param i32 i32 i32 i32) (result i32)
    (if (call $refused (i32.const 0)) (then (return (i32.const 0))))
    (call_indirect (type $four) (local.get 0) (local.get 1) (local.get 2) (local.get 3) (global.get $target)))
)
