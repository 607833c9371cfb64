import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findClash } from '../lib/places.ts'
import { temporaryFolder } from './support/npy-files.ts'

const at = temporaryFolder()
mkdirSync(at('folder/inner'), { recursive: true })
mkdirSync(at('other'))
writeFileSync(at('file'), '')
linkSync(at('file'), at('hard'))
symlinkSync('folder', at('link'))
symlinkSync(at('link'), at('chain'))
symlinkSync('folder/new', at('dangling'))
symlinkSync('inner', at('folder/shortcut'))
symlinkSync('self', at('self'))

/** How the place b, an output, lies to the place a, an input; and whether that is so of two outputs, too. */
function relation(a: string, b: string): string | undefined {
  const place = (path: string) => ({ name: path, path: `${at('.')}/${path}` })
  const found = findClash([place(a)], [place(b)])?.relation
  expect(findClash([], [place(a), place(b)])?.relation).toBe(found)
  return found
}

describe('two places', () => {
  it.each([
    ['folder', 'folder'],
    ['folder/', 'link'],
    ['folder', 'chain'],
    ['folder/new', 'link/new'],
    ['folder/new/deep', 'chain/new/deep'],
    ['folder/new', 'dangling'],
    ['dangling/deep', 'chain/./new/deep'],
    ['folder/inner', 'link/shortcut'],
    ['folder/x', 'folder/shortcut/../x'],
    ['file', 'hard'],
    ['none/Y', 'none/Y'],
  ])('%s and %s are the same', (a, b) => {
    expect([relation(a, b), relation(b, a)]).toEqual(['same', 'same'])
  })

  it.each([
    ['folder', 'link/x.npy'],
    ['link', 'folder/inner/deep/x.npy'],
    ['folder/new', 'dangling/x'],
    ['link/inner', 'folder/shortcut/x'],
    ['none', 'none/x'],
  ])('%s holds %s', (a, b) => {
    expect([relation(a, b), relation(b, a)]).toEqual(['inside', 'around'])
  })

  it.each([
    ['folder', 'other'],
    ['folder/new', 'folder/newer'],
    ['folder/new', 'other/new'],
    ['folder/inner', 'link/new'],
    ['link/x', 'x'],
    ['link/../x', 'folder/x'],
    ['self', 'other'],
    ['file', 'none'],
  ])('%s and %s are apart', (a, b) => {
    expect([relation(a, b), relation(b, a)]).toEqual([undefined, undefined])
  })
})
