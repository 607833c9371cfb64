/**
 * What builds a target of CMakeLists.txt by cmake-js, which uses the headers of its own node-api-headers and so downloads nothing because
 * package.json's binary.napi_versions says that this is a Node-API project. To be run one after the other, each with Node.
 * @param {string} folder
 * @param {string} target of the build, or all
 * @param {Record<string, string>} settings of CMakeLists.txt
 * @returns {string[][]} the program, below node_modules, and its arguments
 */
export function cmakeCommands(folder, target, settings) {
  const program = 'cmake-js/bin/cmake-js'
  const flags = ['--out', folder, '--config', 'Release', '--prefer-make', '--log-level', 'warn']
  const defined = Object.entries(settings).map(([name, value]) => `--CD${name}=${value}`)
  return [
    [program, 'configure', ...flags, ...defined],
    [program, 'build', ...flags, '--target', target, '--parallel', '2'],
  ]
}
