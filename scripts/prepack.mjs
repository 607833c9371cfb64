// Puts in place what the package carries and the repository does not, before `npm pack`.

import { cpSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup/commands.mjs'

// Beside the sources, because installers take a binding.gyp at a package's root for something to build. Ignored by git.
cpSync(join(root, 'binding.gyp'), join(root, 'native', 'binding.gyp'))

const prebuilds = join(root, 'prebuilds')
const names = existsSync(prebuilds) ? readdirSync(prebuilds) : []
console.error(
  names.length > 0
    ? `matfun: packing with addons for ${names.join(', ')}`
    : 'matfun: packing without any prebuilt addon: everybody will have to build from source (see npm run release)',
)
