/**
 * Builds the front end into the Python package.
 *
 *   bpaz_lab/static/widget.{js,css}   the canvas in a cell: one file with everything in it
 *   bpaz_lab/labextension/            the JupyterLab extension, which shares React with JupyterLab
 *
 * Usage: node labextension/build.mjs [--watch]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build, context } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const resolve = createRequire(import.meta.url).resolve;
const watch = process.argv.includes('--watch');

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  jsx: 'automatic',
  target: 'es2022',
  logLevel: 'warning',
};

const widget = {
  ...common,
  entryPoints: [
    { in: 'labextension/src/widget/index.tsx', out: 'widget' },
    { in: 'labextension/style/index.css', out: 'widget' },
  ],
  outdir: 'bpaz_lab/static',
  define: { 'process.env.NODE_ENV': watch ? '"development"' : '"production"' },
  minify: !watch,
  sourcemap: watch ? 'inline' : false,
};

// Only our own sources are joined here; JupyterLab's builder adds the packages, so that React stays shared.
const lab = {
  ...common,
  entryPoints: { lab: 'labextension/src/lab/index.ts' },
  outdir: 'labextension/lib',
  packages: 'external',
  splitting: true,
  sourcemap: watch ? 'linked' : false,
};

/** Runs JupyterLab's own builder over labextension/lib. */
async function federate() {
  const builder = resolve('@jupyter/builder/lib/build-labextension.js');
  const core = resolve('@jupyterlab/core-meta/core.package.json');
  const mode = watch ? ['--development', '--watch'] : [];
  const child = spawn(process.execPath, [builder, '--core-package-file', core, ...mode, root], {
    cwd: root,
    stdio: 'inherit',
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) process.exit(code ?? 1);
}

if (watch) {
  for (const options of [widget, lab]) {
    const session = await context(options);
    await session.rebuild();
    await session.watch();
  }
} else {
  await Promise.all([build(widget), build(lab)]);
}
await federate();
