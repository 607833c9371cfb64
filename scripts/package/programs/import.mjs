// @ts-nocheck: runs where the package is installed, not here
import * as matfun from 'matfun'
import { writeNpy } from 'matfun/npy'
import { openQueue } from 'matfun/queue'
import * as reference from 'matfun/reference'
import { openZarr } from 'matfun/zarr'
import { prove } from './proof.mjs'

if (typeof writeNpy !== 'function') throw new Error('matfun/npy has no writeNpy')
if (typeof openZarr !== 'function') throw new Error('matfun/zarr has no openZarr')
const missing = await openQueue({ url: 'redis://localhost' }).catch(({ message }) => message)
if (missing !== 'a queue needs the packages bullmq and ioredis: npm install bullmq ioredis')
  throw new Error(`matfun/queue without its packages: ${missing}`)
prove(matfun, reference)
