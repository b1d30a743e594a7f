/**
 * Writes labextension/src/model/schema.ts from the JSON schema that Python prints.
 *
 * Usage: node labextension/schema.mjs [--check]    (--check writes nothing and fails where the file is stale;
 * PYTHON names another interpreter than .venv/bin/python)
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}labextension/src/model/schema.ts`;
const own = `${root}.venv/bin/python`;
const python = process.env.PYTHON ?? (existsSync(own) ? own : 'python3');
const text = execFileSync(python, ['-m', 'bpaz_lab.widget.schema'], { cwd: root, encoding: 'utf8' });

const source = await compile(JSON.parse(text), 'Schema', {
  additionalProperties: false,
  bannerComment: '// Generated from the Python models by `npm run schema`; do not edit.',
  style: { singleQuote: true },
});

if (!process.argv.includes('--check')) {
  writeFileSync(target, source);
} else if (readFileSync(target, 'utf8') !== source) {
  console.error('labextension/src/model/schema.ts is older than the Python models: npm run schema');
  process.exit(1);
}
