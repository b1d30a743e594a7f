/**
 * Writes labextension/src/model/schema.ts from the JSON schema that Python prints.
 *
 * Usage: npm run schema    (PYTHON names another interpreter than .venv/bin/python)
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const own = `${root}.venv/bin/python`;
const python = process.env.PYTHON ?? (existsSync(own) ? own : 'python3');
const text = execFileSync(python, ['-m', 'bpaz_lab.widget.schema'], { cwd: root, encoding: 'utf8' });

const source = await compile(JSON.parse(text), 'Schema', {
  additionalProperties: false,
  bannerComment: '// Generated from the Python models by `npm run schema`; do not edit.',
  style: { singleQuote: true },
});
writeFileSync(`${root}labextension/src/model/schema.ts`, source);
