// The table of errors, read out of session/problem_table.h. As a program it writes the table of
// docs/protocol.md anew: node tests/support/problems.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const PROTOCOL_PAGE = ROOT + 'docs/protocol.md';
const BEGIN = '<!-- problem table: written by tests/support/problems.mjs out of session/problem_table.h -->\n';
const END = '<!-- end of problem table -->';

export function readProblems() {
  const text = readFileSync(ROOT + 'session/problem_table.h', 'utf8');
  const row =
    /HL_PROBLEM\(\s*\w+\s*,\s*"(\w+)"\s*,\s*(\d+)\s*,\s*HL_RETRY_(\w+)\s*,\s*(\d+)\s*,\s*"((?:[^"\\]|\\.)*)"\s*\)/g;
  return [...text.matchAll(row)]
    .map(([, code, status, retry, close, title]) => ({
      code,
      status: Number(status),
      retry: retry.toLowerCase(),
      close: Number(close),
      title,
    }));
}

export function renderProblems(problems) {
  const lines = ['| code | HTTP | class | close code | |', '|---|---|---|---|---|'];
  for (const p of problems) {
    lines.push(`| ${p.code} | ${p.status} | ${p.retry} | ${p.close || '–'} | ${p.title} |`);
  }
  return lines.join('\n') + '\n';
}

// The page with the table as it should be.
export function pageWithTable(page) {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('the marks of the problem table are missing');
  return page.slice(0, begin + BEGIN.length) + renderProblems(readProblems()) + page.slice(end);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PROTOCOL_PAGE, pageWithTable(readFileSync(PROTOCOL_PAGE, 'utf8')));
}
