// @ts-nocheck: runs where the package is installed, not here
import * as matfun from 'matfun'
import { writeNpy } from 'matfun/npy'
import * as reference from 'matfun/reference'
import { openZarr } from 'matfun/zarr'
import { prove } from './proof.mjs'

if (typeof writeNpy !== 'function') throw new Error('matfun/npy has no writeNpy')
if (typeof openZarr !== 'function') throw new Error('matfun/zarr has no openZarr')
prove(matfun, reference)
