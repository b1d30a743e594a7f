/**
 * Builds the development page, on which the canvas can be looked at without a kernel, into
 * labextension/lib/dev. Usage: node labextension/dev/build.js [--serve] [--theme=theme.css]
 */
import { copyFileSync } from 'node:fs';
import { context } from 'esbuild';

const out = 'labextension/lib/dev';
const session = await context({
  entryPoints: [
    { in: 'labextension/dev/index.ts', out: 'index' },
    { in: 'labextension/style/index.css', out: 'canvas' },
  ],
  outdir: out,
  bundle: true,
  format: 'esm',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
});
await session.rebuild();
copyFileSync('labextension/dev/index.html', `${out}/index.html`);
if (process.argv.includes('--serve')) {
  await session.watch();
  const { port } = await session.serve({ servedir: out, host: '127.0.0.1' });
  console.log(`http://127.0.0.1:${port}/`);
} else {
  await session.dispose();
}
