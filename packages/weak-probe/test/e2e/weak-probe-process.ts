/** The program `weak-probe` as a process: run, or killed with -9 at a line of a file. */
export { killAtLine, runProgram as weakProbe } from '@lab/core/testing';
