/**
 * The candidate for a "did you mean": one that contains the text or is part of it, else one that differs in few letters;
 * undefined if none is similar.
 */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const wanted = text.toLowerCase();
  if (wanted.length > 40) return undefined; // nobody means that, and the distance is quadratic
  const part = candidates.find((c) => wanted.length > 2 && (c.includes(wanted) || wanted.includes(c)));
  const close = candidates
    .map((candidate) => ({ candidate, away: distance(wanted, candidate) }))
    .filter(({ candidate, away }) => away <= Math.max(1, Math.floor(candidate.length / 3)) && away < wanted.length)
    .sort((a, b) => a.away - b.away)[0];
  return close?.away === 1 ? close.candidate : (part ?? close?.candidate);
}

/** The number of letters to add, drop or change (Levenshtein distance). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
