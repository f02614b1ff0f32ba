import stringWidth from 'string-width';
import { oneLine } from '../failure.js';

/** Cells, row by row; the first row is the head. */
type Rows = readonly (readonly string[])[];

/** The width that the other columns of a table leave to the first one. */
export const roomIn = (rows: Rows, columns: number): number =>
  widthsOf(rows)
    .slice(1)
    .reduce((left, width) => left - width - GAP.length, columns);

/** Aligns the cells. A column is as wide as its widest cell; if the sum is too wide, the first column is cut. */
export function aligned(rows: Rows, columns: number): string[] {
  const widths = widthsOf(rows);
  widths[0] = Math.max(SHORTEST, Math.min(widths[0] ?? 0, roomIn(rows, columns)));
  return rows.map((row) =>
    row
      .map((cell, i) => cut(cell, widths[i] ?? 0).padEnd(widths[i] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

const GAP = '  ';
const SHORTEST = 8;

const widthsOf = (rows: Rows): number[] =>
  (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));

/** Folds a text into indented lines. */
export function folded(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = ' ';
  for (const word of oneLine(text).split(' ')) {
    if (line !== ' ' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = '   ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/**
 * Cuts a text to `length` columns and ends it with `~` if anything was cut. One grapheme may be several characters, and
 * two columns wide.
 */
export function cut(text: string, length: number): string {
  // A command may be megabytes long.
  const start = text.slice(0, LONGEST_SIGN * length);
  if (start === text && stringWidth(text) <= length) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of SIGNS.segment(start)) {
    width += stringWidth(segment);
    if (width >= length) break;
    kept += segment;
  }
  return `${kept}~`;
}

const LONGEST_SIGN = 32;
const SIGNS = new Intl.Segmenter('en');
