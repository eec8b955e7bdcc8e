;; Calls itself `left` times and counts in `frames` how often that worked: the engine throws when its stack ends.
;; A frame takes at least 256 bytes of that stack, whichever compiler made the code: 32 values are needed after the call.
(module
  (memory 1)
  (global $frames (export "frames") (mut i32) (i32.const 0))
  (func $probe (export "probe") (param $left i32) (result i64)
    (global.set $frames (i32.add (global.get $frames) (i32.const 1)))
    (if (i32.eqz (local.get $left))
      (then (return (i64.const 0))))
    (i64.load offset=0 (i32.const 0)) (i64.load offset=8 (i32.const 0)) (i64.load offset=16 (i32.const 0)) (i64.load offset=24 (i32.const 0))
    (i64.load offset=32 (i32.const 0)) (i64.load offset=40 (i32.const 0)) (i64.load offset=48 (i32.const 0)) (i64.load offset=56 (i32.const 0))
    (i64.load offset=64 (i32.const 0)) (i64.load offset=72 (i32.const 0)) (i64.load offset=80 (i32.const 0)) (i64.load offset=88 (i32.const 0))
    (i64.load offset=96 (i32.const 0)) (i64.load offset=104 (i32.const 0)) (i64.load offset=112 (i32.const 0)) (i64.load offset=120 (i32.const 0))
    (i64.load offset=128 (i32.const 0)) (i64.load offset=136 (i32.const 0)) (i64.load offset=144 (i32.const 0)) (i64.load offset=152 (i32.const 0))
    (i64.load offset=160 (i32.const 0)) (i64.load offset=168 (i32.const 0)) (i64.load offset=176 (i32.const 0)) (i64.load offset=184 (i32.const 0))
    (i64.load offset=192 (i32.const 0)) (i64.load offset=200 (i32.const 0)) (i64.load offset=208 (i32.const 0)) (i64.load offset=216 (i32.const 0))
    (i64.load offset=224 (i32.const 0)) (i64.load offset=232 (i32.const 0)) (i64.load offset=240 (i32.const 0)) (i64.load offset=248 (i32.const 0))
    (call $probe (i32.sub (local.get $left) (i32.const 1)))
    i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor
    i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor i64.xor)
)
