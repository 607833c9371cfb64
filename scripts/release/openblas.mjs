import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { ask, findCommand, root, run, SetupError, say } from '../setup/commands.mjs'
import { digest, stampIs, writeStamp } from '../setup/stamps.mjs'
import { leaveOut } from './left-out.mjs'

/**
 * @typedef {object} Archives what an addon is linked with
 * @property {string} name for people
 * @property {string[]} files absolute
 * @property {boolean} locks whether it was built with USE_LOCKING
 * @property {string[]} linkerOptions that keep out of it what is never called
 * @property {string[]} notices licence texts that THIRD_PARTY_NOTICES has to contain
 */

const folder = join(root, 'build', 'openblas')

/** Debian 12's: versions whose behaviour is known, from an archive that stays. */
const release = 'bookworm'
const mirror = 'http://deb.debian.org/debian'
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const version = '0.3.21+ds-4'

/**
 * The processors besides the architecture's least that there are kernels for; OpenBLAS takes the nearest for others, Haswell's
 * for AMD's Zen.
 */
const cores = /** @type {Record<string, string>} */ ({ x64: 'HASWELL SKYLAKEX', arm64: 'NEOVERSEN1' })

/**
 * Without Fortran, CBLAS, LAPACKE and kernels for tiny products, which are matfun's own. Without threads, because matfun
 * calls it with one; with locks, because many threads call it, 128 of them without allocating more.
 */
const options = [
  ...['CC=gcc', 'NOFORTRAN=1', 'NO_LAPACKE=1', 'NO_CBLAS=1', 'NO_AFFINITY=1', 'NO_WARMUP=1'],
  ...['SMALL_MATRIX_OPT=0', 'USE_THREAD=0', 'USE_LOCKING=1', 'NUM_THREADS=128', 'TARGET=GENERIC'],
  'DYNAMIC_ARCH=1',
  `DYNAMIC_LIST=${cores[process.arch]}`,
  'COMMON_OPT=-O2 -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fvisibility=hidden',
]

/**
 * OpenBLAS as Debian 12's source package has it, for few processors, and LAPACK from Debian's archive, as Debian's own build
 * takes it. Takes some minutes the first time. Nothing is installed on the system.
 * @returns {Archives}
 */
export function trimmedOpenBLAS() {
  if (cores[process.arch] === undefined || process.platform !== 'linux')
    throw new SetupError(
      `OpenBLAS is built for linux-x64 and linux-arm64, not ${process.platform}-${process.arch}`,
    )
  const files = ['libopenblas.a', 'liblapack_pic.a'].map((name) => join(folder, name))
  const stamp = join(folder, '.sha256')
  const wanted = digest(root, ['scripts/release/openblas.mjs'], [process.arch])
  if (!files.every((file) => existsSync(file)) || !stampIs(stamp, wanted)) {
    rmSync(folder, { recursive: true, force: true })
    download()
    compile(files[0])
    writeStamp(stamp, wanted)
  }
  const notices = ['LICENSE', 'GotoBLAS_00License.txt'].map((name) =>
    readFileSync(join(folder, 'source', name), 'utf8'),
  )
  const name = `OpenBLAS ${version} for ${cores[process.arch]}`
  return { name, files, locks: true, notices, linkerOptions: leaveOut(files[0], join(folder, 'left-out.ld')) }
}

/** Gets OpenBLAS's sources and LAPACK's archive, both verified by apt, by lists of their own. */
function download() {
  for (const command of ['apt-get', 'dpkg-source', 'dpkg-deb', 'make', 'gcc'])
    if (!findCommand(command))
      throw new SetupError(
        `${command} is missing, so OpenBLAS cannot be built here; --openblas system takes the system's`,
      )
  say(`getting OpenBLAS ${version}`)
  const lists = join(folder, 'lists')
  mkdirSync(join(lists, 'partial'), { recursive: true })
  const sources = join(folder, 'sources.list')
  const from = `[signed-by=${keyring}] ${mirror} ${release} main\n`
  writeFileSync(sources, `deb ${from}deb-src ${from}`)
  const flags = [`Dir::Etc::sourcelist=${sources}`, 'Dir::Etc::sourceparts=-', `Dir::State::lists=${lists}`]
  const apt = flags.flatMap((flag) => ['-o', flag])
  run("read Debian's lists", 'apt-get', [...apt, 'update'])
  const source = ['source', '--download-only', `openblas=${version}`]
  run("get OpenBLAS's sources", 'apt-get', [...apt, ...source], process.env, folder)
  run('get LAPACK', 'apt-get', [...apt, 'download', 'liblapack-dev'], process.env, folder)
  const description = `openblas_${version}.dsc`
  run('unpack OpenBLAS', 'dpkg-source', ['--extract', description, 'source'], process.env, folder)
  const lapack = readdirSync(folder).find((name) => name.startsWith('liblapack-dev'))
  run('unpack LAPACK', 'dpkg-deb', ['--extract', join(folder, lapack ?? ''), join(folder, 'lapack')])
  const triplet = ask('gcc', ['-print-multiarch']) ?? ''
  const archive = join(folder, 'lapack', 'usr', 'lib', triplet, 'liblapack_pic.a')
  cpSync(archive, join(folder, 'liblapack_pic.a'))
  rmSync(join(folder, 'lapack'), { recursive: true })
}

/** @param {string} archive where to leave the result */
function compile(archive) {
  const source = join(folder, 'source')
  mendDetection(join(source, 'driver', 'others', 'dynamic.c'))
  say('building OpenBLAS, which takes some minutes')
  const jobs = Math.min(availableParallelism(), 2)
  run('build OpenBLAS', 'nice', ['-n', '5', 'make', '-C', source, `-j${jobs}`, 'libs', ...options])
  const built = readdirSync(source).find((name) => /^libopenblas.*\.a$/.test(name))
  if (built === undefined) throw new SetupError(`OpenBLAS was built, but there is no archive in ${source}`)
  cpSync(join(source, built), archive, { dereference: true })
}

/**
 * An Intel processor of family 6 that this version does not know falls through to the Pentium 4's case; what it can do should
 * decide, as for unknown ones of others.
 * @param {string} file
 */
function mendDetection(file) {
  const text = readFileSync(file, 'utf8')
  const mended = text.replace(/^ {6}case 0xf:\n/m, '      return NULL;\n$&')
  if (mended === text) throw new SetupError(`${file} is not as it was: see mendDetection`)
  writeFileSync(file, mended)
}

/**
 * The archive of the OpenBLAS that pkg-config finds, with all its kernels: Debian's takes 25 MB.
 * @returns {Archives}
 */
export function systemOpenBLAS() {
  const libraries = ask('pkg-config', ['--variable=libdir', 'openblas'])
  const file = join(libraries ?? '', 'libopenblas.a')
  if (!existsSync(file)) throw new SetupError(`there is no archive of OpenBLAS at ${file}`)
  const name = `OpenBLAS ${ask('pkg-config', ['--modversion', 'openblas'])} of the system`
  return { name, files: [file], locks: false, notices: [], linkerOptions: [] }
}
