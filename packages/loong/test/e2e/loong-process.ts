/** The program `loong` as a process: run, or killed with -9 at a line of a file. */
export { killAtLine, runProgram as loong } from '@lab/core/testing';
