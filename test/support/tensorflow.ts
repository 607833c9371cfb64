// As much of the package @tensorflow/tfjs as the tests use, which is 250 MB larger: its core with all gradients, and the backend
// of the processor. The gradients are another copy of the core, but all copies share one engine.
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-core/dist/register_all_gradients.js'

export * from '@tensorflow/tfjs-core'
