// Prints the folder of node-addon-api for binding.gyp: the one that can be required from here, or the one that `npx` has put
// beside the node-gyp that runs this.

const { existsSync } = require('node:fs')
const { delimiter, dirname, join, relative } = require('node:path')

function find() {
  try {
    return dirname(require.resolve('node-addon-api/package.json'))
  } catch {}
  const commands = (process.env.PATH ?? '').split(delimiter)
  const beside = commands.map((folder) => join(folder, '..', 'node-addon-api'))
  const found = beside.find((folder) => existsSync(join(folder, 'napi.h')))
  if (found === undefined)
    throw new Error('node-addon-api is missing: npx --package=node-addon-api@8 brings it')
  return found
}

// Relative to the folder that node-gyp runs in, as gyp wants paths.
console.log(relative('.', find()))
