;; Functions of WebAssembly for Python's table, which go on to JavaScript.
(module
  (import "script" "call1" (func $call1 (param i32) (result i32)))
  (import "script" "call3" (func $call3 (param i32 i32 i32) (result i32)))
  (import "script" "call4" (func $call4 (param i32 i32 i32 i32) (result i32)))
  (func (export "call1") (param i32) (result i32) (call $call1 (local.get 0)))
  (func (export "call3") (param i32 i32 i32) (result i32) (call $call3 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "call4") (param i32 i32 i32 i32) (result i32)
    (call $call4 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
)
