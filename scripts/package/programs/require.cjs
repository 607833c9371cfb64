// @ts-nocheck: runs where the package is installed, not here
const matfun = require('matfun')
const { writeNpy } = require('matfun/npy')
const { openZarr } = require('matfun/zarr')
const reference = require('matfun/reference')
const { prove } = require('./proof.mjs')

if (typeof writeNpy !== 'function') throw new Error('matfun/npy has no writeNpy')
if (typeof openZarr !== 'function') throw new Error('matfun/zarr has no openZarr')
prove(matfun, reference)
