// Provides what `npm start` and, with `--for test`, `npm test` need; does nothing where everything is there.
// Imports nothing before Node's version is known: older versions could not read the rest.

/** @param {string} version such as '20.19.0' */
function oldNode(version) {
  const [major, minor] = version.split('.').map(Number)
  return major < 20 || (major === 20 && minor < 19)
}

if (oldNode(process.versions.node)) {
  console.error(`set-up: matfun needs Node 20.19 or newer, but this is Node ${process.versions.node}`)
  process.exit(1)
}

const { setUp } = await import('./setup/steps.mjs')
process.exitCode = setUp(process.argv.slice(2))
