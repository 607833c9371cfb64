// @ts-nocheck: runs where the package is installed, not here
const matfun = require('matfun')
const { writeNpy } = require('matfun/npy')
const reference = require('matfun/reference')
const { prove } = require('./proof.mjs')

if (typeof writeNpy !== 'function') throw new Error('matfun/npy has no writeNpy')
prove(matfun, reference)
