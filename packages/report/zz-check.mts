import { checkPage } from './src/testing.js';
const t=performance.now();
const f = await checkPage(process.argv[2]!, { scripts: [true] });
console.log(f.views.length, f.problems.length, Math.round(performance.now()-t),'ms');
