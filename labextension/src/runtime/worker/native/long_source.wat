;; Stands before `eval`, `exec` and `compile`: hands a long source to `prepare`, which raises RecursionError (and returns 0)
;; or returns what is to be evaluated in its place.
(module
  (import "python" "memory" (memory 1))
  (import "python" "str" (global $str i32))
  (import "python" "bytes" (global $bytes i32))
  (import "python" "next" (func $next (param i32 i32 i32 i32) (result i32)))
  (import "python" "release" (func $release (param i32)))
  (import "guard" "length" (global $length i32))
  (import "guard" "prepare" (func $prepare (param i32) (result i32)))

  (func $is_long (param $object i32) (result i32)
    (local $type i32)
    (local.set $type (i32.load offset=4 (local.get $object)))
    (i32.and
      (i32.or
        (i32.eq (local.get $type) (global.get $str))
        (i32.eq (local.get $type) (global.get $bytes)))
      (i32.ge_u (i32.load offset=8 (local.get $object)) (global.get $length))))

  (func (export "call4") (param $self i32) (param $values i32) (param $count i32) (param $names i32) (result i32)
    (local $source i32)
    (local $prepared i32)
    (local $result i32)
    ;; The highest bit of the count is a flag.
    (if (i32.and (local.get $count) (i32.const 0x7fffffff))
      (then
        (local.set $source (i32.load (local.get $values)))
        (if (call $is_long (local.get $source))
          (then
            (local.set $prepared (call $prepare (local.get $source)))
            (if (i32.eqz (local.get $prepared))
              (then (return (i32.const 0))))
            (i32.store (local.get $values) (local.get $prepared))
            (local.set $result
              (call $next (local.get $self) (local.get $values) (local.get $count) (local.get $names)))
            (i32.store (local.get $values) (local.get $source))
            (call $release (local.get $prepared))
            (return (local.get $result))))))
    (call $next (local.get $self) (local.get $values) (local.get $count) (local.get $names))))
