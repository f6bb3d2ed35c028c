;; Fills the dropout masks of a batch, one byte a value: 1 where it stays, 0 where it is dropped.
;;
;; A mask is `rows` × `outer` × `inner` lines of `width` values. Line (row, o, i) is a stream of 32-bit numbers
;;   start = mix(mix(mix(key[row] ^ mix(number)) + (o + 1) · STRIDE) ^ (i + 1) · STRIDE)
;;   draw  = mix(start + (k + 1) · STRIDE)            k = 0, 1, …
;; and each draw decides on two values: its low 16 bits first, then its high 16 bits; a value stays where they are at
;; least `threshold`. mix is the finaliser of MurmurHash3, STRIDE 2^32 over the golden ratio.
;;
;; Sixteen values are written at a time. The last of them may lie behind the line's end: the next line writes over those,
;; so the memory needs 15 bytes behind the last line.
(module
  (memory (export "memory") 1)

  (func $mix (param $x i32) (result i32)
    (local.set $x (i32.mul
      (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 16)))
      (i32.const 0x85ebca6b)))
    (local.set $x (i32.mul
      (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 13)))
      (i32.const 0xc2b2ae35)))
    (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 16))))

  ;; Which of the eight values of four draws stay: -1 or 0 in 16 bits each.
  (func $stay (param $x v128) (param $threshold v128) (result v128)
    (local.set $x (i32x4.mul
      (v128.xor (local.get $x) (i32x4.shr_u (local.get $x) (i32.const 16)))
      (v128.const i32x4 0x85ebca6b 0x85ebca6b 0x85ebca6b 0x85ebca6b)))
    (local.set $x (i32x4.mul
      (v128.xor (local.get $x) (i32x4.shr_u (local.get $x) (i32.const 13)))
      (v128.const i32x4 0xc2b2ae35 0xc2b2ae35 0xc2b2ae35 0xc2b2ae35)))
    (i16x8.ge_u
      (v128.xor (local.get $x) (i32x4.shr_u (local.get $x) (i32.const 16)))
      (local.get $threshold)))

  ;; $keys: address of `rows` 32-bit keys. $at: address of the mask.
  (func (export "fill")
    (param $keys i32) (param $rows i32) (param $outer i32) (param $inner i32) (param $width i32)
    (param $number i32) (param $threshold i32) (param $at i32)
    (local $row i32) (local $o i32) (local $i i32) (local $of_row i32) (local $of_outer i32)
    (local $end i32) (local $to i32) (local $state v128) (local $least v128)
    (local.set $number (call $mix (local.get $number)))
    (local.set $least (i16x8.splat (local.get $threshold)))
    (block $done (br_if $done (i32.eqz (i32.mul (local.get $outer) (i32.mul (local.get $inner) (local.get $width)))))
    (loop $next_row
      (if (i32.lt_u (local.get $row) (local.get $rows)) (then
        (local.set $of_row (call $mix (i32.xor
          (i32.load (i32.add (local.get $keys) (i32.shl (local.get $row) (i32.const 2))))
          (local.get $number))))
        (local.set $o (i32.const 0))
        (loop $next_outer
          (local.set $o (i32.add (local.get $o) (i32.const 1)))
          (local.set $of_outer (call $mix (i32.add
            (local.get $of_row)
            (i32.mul (local.get $o) (i32.const 0x9e3779b9)))))
          (local.set $i (i32.const 0))
          (loop $next_line
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (local.set $state (i32x4.add
              (i32x4.splat (call $mix (i32.xor
                (local.get $of_outer)
                (i32.mul (local.get $i) (i32.const 0x9e3779b9)))))
              ;; 1, 2, 3 and 4 times STRIDE
              (v128.const i32x4 0x9e3779b9 0x3c6ef372 0xdaa66d2b 0x78dde6e4)))
            (local.set $to (local.get $at))
            (local.set $end (i32.add (local.get $at) (local.get $width)))
            (loop $next_values
              (v128.store (local.get $to) (v128.and
                (i8x16.narrow_i16x8_s
                  (call $stay (local.get $state) (local.get $least))
                  (call $stay
                    (i32x4.add (local.get $state)
                      (v128.const i32x4 0x78dde6e4 0x78dde6e4 0x78dde6e4 0x78dde6e4))
                    (local.get $least)))
                (v128.const i8x16 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1)))
              ;; 8 times STRIDE
              (local.set $state (i32x4.add (local.get $state)
                (v128.const i32x4 0xf1bbcdc8 0xf1bbcdc8 0xf1bbcdc8 0xf1bbcdc8)))
              (br_if $next_values (i32.lt_u
                (local.tee $to (i32.add (local.get $to) (i32.const 16)))
                (local.get $end))))
            (local.set $at (local.get $end))
            (br_if $next_line (i32.lt_u (local.get $i) (local.get $inner))))
          (br_if $next_outer (i32.lt_u (local.get $o) (local.get $outer))))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br $next_row)))))))
