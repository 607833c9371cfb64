import { readSync, writeSync } from 'node:fs'
import { endianness } from 'node:os'
import { NpyError } from './error.ts'

/** The byte order of this machine. */
export const native: 'LE' | 'BE' = endianness()

type Numbers = Float64Array | Float32Array

// Linux moves at most 2 GiB in one call, and a Uint8Array of Node 20 spans at most 4 GiB.
const mostAtOnce = 1 << 30

/** Fills `target` from `position` on. NpyError where the file ends before, which it did not when it was opened. */
export function readBytes(path: string, fd: number, position: number, target: ArrayBufferView): void {
  for (let done = 0; done < target.byteLength; ) {
    const piece = pieceOf(target, done)
    const got = readSync(fd, piece, 0, piece.length, position + done)
    if (got === 0)
      throw new NpyError(path, `became shorter while it was read: expected a byte at ${position + done}`)
    done += got
  }
}

/** Writes all bytes of `source` from `position` on. */
export function writeBytes(fd: number, position: number, source: ArrayBufferView): void {
  for (let done = 0; done < source.byteLength; ) {
    const piece = pieceOf(source, done)
    done += writeSync(fd, piece, 0, piece.length, position + done)
  }
}

/** Reverses the bytes of each number in place. */
export function swapBytes(numbers: Numbers): void {
  // 2^30 is a multiple of either size, so no number lies across two pieces.
  for (let done = 0; done < numbers.byteLength; done += mostAtOnce) {
    const piece = pieceOf(numbers, done)
    if (numbers.BYTES_PER_ELEMENT === 8) piece.swap64()
    else piece.swap32()
  }
}

function pieceOf(view: ArrayBufferView, from: number): Buffer {
  const length = Math.min(mostAtOnce, view.byteLength - from)
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + from, length)
}
