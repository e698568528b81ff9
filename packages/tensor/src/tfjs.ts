/** The one place that imports TensorFlow.js, so that every file shares one instance of it. */
import * as tf from '@tensorflow/tfjs-core';

export { tf };
