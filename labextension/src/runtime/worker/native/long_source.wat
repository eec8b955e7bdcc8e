;; Takes the place of `eval`, `exec` and `compile`. Passes a long source to `prepare`, which raises RecursionError and returns 0,
;; or returns the object to evaluate instead. The function at `target` is called from here, not from JavaScript, so that it can
;; be suspended. Only the export with its number of parameters is used.
(module
  (import "python" "table" (table 1 funcref))
  (import "python" "target" (global $target i32))
  (import "python" "release" (func $release (param i32)))
  ;; The first of the values if it is a long source, else 0.
  (import "guard" "source" (func $source (param i32) (result i32)))
  (import "guard" "prepare" (func $prepare (param i32) (result i32)))
  ;; Replaces the first value.
  (import "guard" "store" (func $store (param i32 i32)))
  (type $three (func (param i32 i32 i32) (result i32)))
  (type $four (func (param i32 i32 i32 i32) (result i32)))

  ;; The highest bit of the count is a flag, not part of the number.
  (func $long (param $values i32) (param $count i32) (result i32)
    (if (i32.and (local.get $count) (i32.const 0x7fffffff))
      (then (return (call $source (local.get $values)))))
    (i32.const 0))

  (func (export "call3") (param $self i32) (param $values i32) (param $count i32) (result i32)
    (local $source i32)
    (local $prepared i32)
    (local $result i32)
    (local.set $source (call $long (local.get $values) (local.get $count)))
    (if (local.get $source)
      (then
        (local.set $prepared (call $prepare (local.get $source)))
        (if (i32.eqz (local.get $prepared))
          (then (return (i32.const 0))))
        (call $store (local.get $values) (local.get $prepared))))
    (local.set $result
      (call_indirect (type $three) (local.get $self) (local.get $values) (local.get $count) (global.get $target)))
    (if (local.get $source)
      (then
        (call $store (local.get $values) (local.get $source))
        (call $release (local.get $prepared))))
    (local.get $result))

  (func (export "call4") (param $self i32) (param $values i32) (param $count i32) (param $names i32) (result i32)
    (local $source i32)
    (local $prepared i32)
    (local $result i32)
    (local.set $source (call $long (local.get $values) (local.get $count)))
    (if (local.get $source)
      (then
        (local.set $prepared (call $prepare (local.get $source)))
        (if (i32.eqz (local.get $prepared))
          (then (return (i32.const 0))))
        (call $store (local.get $values) (local.get $prepared))))
    (local.set $result
      (call_indirect (type $four)
        (local.get $self) (local.get $values) (local.get $count) (local.get $names) (global.get $target)))
    (if (local.get $source)
      (then
        (call $store (local.get $values) (local.get $source))
        (call $release (local.get $prepared))))
    (local.get $result))
)
