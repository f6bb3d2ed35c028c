// Node 20 has no Float16Array; these loops work on the bits and run at memory speed.

/** IEEE binary16 bits to float32, exactly (subnormals, infinities and NaN payloads included). */
export function float16ToFloat32(halves: Uint16Array): Float32Array {
  const result = new Float32Array(halves.length);
  const bits = new Uint32Array(result.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = half & 0x7c00;
    if (exponent === 0x7c00) bits[i] = sign | 0x7f800000 | ((half & 0x3ff) << 13);
    else if (exponent !== 0)
      bits[i] = sign | (((half & 0x7fff) + (112 << 10)) << 13); // bias 127 - 15 = 112
    else result[i] = (sign ? -1 : 1) * (half & 0x3ff) * 2 ** -24;
  }
  return result;
}

/** bfloat16 bits (the upper half of a float32) to float32, exactly. */
export function bfloat16ToFloat32(halves: Uint16Array): Float32Array {
  const result = new Float32Array(halves.length);
  const bits = new Uint32Array(result.buffer);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return result;
}

/** float32 to IEEE binary16 bits, rounded to nearest, ties to even; what is too large becomes infinite. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const sign = (bits[i]! >>> 16) & 0x8000;
    const magnitude = bits[i]! & 0x7fffffff;
    let half: number;
    if (magnitude > 0x7f800000) half = 0x7e00 | ((magnitude >>> 13) & 0x3ff);
    else if (magnitude >= 0x477ff000)
      half = 0x7c00; // 65520 and more
    else if (magnitude >= 0x38800000) half = (magnitude + 0xfff + ((magnitude >>> 13) & 1) - (112 << 23)) >>> 13;
    else half = roundHalfEven(Math.abs(values[i]!) * 2 ** 24); // below 2^-14: multiples of 2^-24
    result[i] = sign | half;
  }
  return result;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
