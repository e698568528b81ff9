export { type Eigen, eigh } from './linalg/eigh.js';
export { type Matrix, type MatrixLike, multiply, transpose } from './linalg/matrix.js';
export { qr, type QrFactors } from './linalg/qr.js';
export { type SingularValues, svd } from './linalg/svd.js';
