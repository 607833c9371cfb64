import { join } from 'node:path'
import { describe } from '../errors.ts'
import type { DType } from '../ndarray.ts'
import { readVersion } from '../version.ts'
import { Folder } from '../zarr/folder.ts'
import { createZarr, openZarr, type ZarrArray, type ZarrSpec } from '../zarr/index.ts'
import type { JobDescription } from './description.ts'
import { JobError } from './error.ts'
import { FailureFiles, failuresFolder } from './failures.ts'
import type { WorkPlan } from './plan.ts'
import { onPath } from './storage.ts'

/** The arrays that a job writes. */
export interface Outputs {
  readonly result: ZarrArray
  readonly value: ZarrArray | undefined
  readonly failures: FailureFiles
  readonly folders: readonly Folder[]
}

/** What a job writes where. */
export interface OutputRequest {
  /** Without links. */
  readonly root: string
  readonly id: string
  readonly description: JobDescription
  readonly plan: WorkPlan
  /** Whether to make arrays that are not there. */
  readonly create: boolean
}

/**
 * Opens a job's outputs, or makes them; several processes may do so at once.
 * Errors: {@link JobError} where something else stands in the place of one, or nothing and `create` is false.
 */
export async function openOutputs(request: OutputRequest): Promise<Outputs> {
  const { root, description, plan } = request
  const { dtype, n, count, chunkLength, sharesA } = plan
  const isCond = description.operation === 'cond'
  const matrices = (items: number) => ({
    dtype,
    shape: [items, n, n],
    chunkLength: Math.max(1, Math.min(chunkLength, items)),
  })
  const numbers = { dtype: 'float64' as DType, shape: [count], chunkLength }
  const value =
    description.value === undefined
      ? undefined
      : await openOutput(request, 'value', description.value, matrices(sharesA ? 1 : count))
  const result = await openOutput(request, 'result', description.out, isCond ? numbers : matrices(count))
  const paths = [description.out, `${description.out}/${failuresFolder}`]
  if (description.value !== undefined) paths.push(description.value)
  const folders = paths.map((path) => new Folder(join(root, path), root))
  return { result, value, failures: new FailureFiles(folders[0], chunkLength, count), folders }
}

/** What an output is of its job. It is kept with the array, so that no other output is written over it. */
type Role = 'result' | 'value'

async function openOutput(
  { root, id, description, create }: OutputRequest,
  role: Role,
  path: string,
  spec: ZarrSpec,
): Promise<ZarrArray> {
  const place = join(root, path)
  return onPath('write', path, async () => {
    const there = await openZarr(place, { root }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' && create) return undefined
      throw error
    })
    if (there === undefined) {
      const attributes = { matfun: { job: id, role, description, version: readVersion() } }
      return createZarr(place, { ...spec, attributes }, { root })
    }
    requireOwn(there, path, { id, role, spec })
    return there
  })
}

/** Refuses an array that another job, this job for another output, or anyone else has made. */
function requireOwn(
  array: ZarrArray,
  path: string,
  { id, role, spec }: { id: string; role: Role; spec: ZarrSpec },
): void {
  const { matfun } = array.attributes as { matfun?: { job?: unknown; role?: unknown } }
  const isLike =
    array.dtype === spec.dtype &&
    String(array.shape) === String(spec.shape) &&
    array.chunkLength === spec.chunkLength
  if (matfun?.job === id && matfun.role === role && isLike) return
  if (matfun?.job === id && isLike)
    throw new JobError(
      `${path} is there already with the role ${describe(matfun.role)} in job ${id}: expected its ${role}; remove it, or ` +
        'name another place',
    )
  const owner =
    typeof matfun?.job === 'string' ? `belongs to job ${matfun.job.slice(0, 40)}` : "is no job's output"
  throw new JobError(
    `${path} is there already and ${owner}, not that of job ${id}: remove it, or name another place`,
  )
}
