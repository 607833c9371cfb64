import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, sep } from 'node:path'

/** What {@link temporaryBeside} names look like, without their folder. */
export const temporaryName = /^\.matfun-[0-9a-f]{12}\.tmp$/

/** A hidden name of its own in the folder of `target`, where a file grows until it is whole and renamed to `target`. */
export function temporaryBeside(target: string): string {
  // path.join would take `link/..` for the folder that holds the link.
  return `${dirname(target)}${sep}.matfun-${randomBytes(6).toString('hex')}.tmp`
}

/** Makes a new name in a folder last through a power cut, where folders can be opened (Windows cannot). */
export function syncFolder(path: string): void {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    return
  }
  try {
    fsyncSync(fd)
  } catch {
    // The file itself is on the disk; some network file systems cannot say so of a folder.
  } finally {
    closeSync(fd)
  }
}

/** {@link syncFolder} off the event loop. */
export async function syncFolderLater(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r')
    await folder.sync().finally(() => folder.close())
  } catch {
    // As above.
  }
}
